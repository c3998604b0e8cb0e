"""The panes: which columns each has and how a snapshot becomes its rows. Nothing here knows a widget's life."""
