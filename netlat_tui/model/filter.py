"""Placeholder until the grammar lands: see DESIGN.md, *Filter language*."""
