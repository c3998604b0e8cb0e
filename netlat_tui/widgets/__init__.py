"""Drawing: Line-API widgets and the pure functions that lay out their lines. They know no sources and no screens."""
