"""The screens: what a snapshot's figures mean to the person at the keyboard."""
