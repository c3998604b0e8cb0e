"""``python -m netlat_tui``."""

from netlat_tui.cli import main

main()
