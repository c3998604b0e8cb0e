"""The words of the tool: points, stages, ticks, filters, snapshots. Imports nothing but numpy and the parser."""
