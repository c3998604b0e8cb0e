"""netlat-tui: where packets spend their time in the Linux network stack, live."""

__version__ = "0.1.0"
