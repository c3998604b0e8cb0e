"""What keys and the palette do on every screen, by concern. Each is a part of the application's class."""
