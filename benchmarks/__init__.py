"""What netlat-tui costs and how fast it is, measured: `make bench`. Not part of the application."""
