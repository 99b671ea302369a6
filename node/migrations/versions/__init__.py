"""0001, 0002, ...: each brings the schema from the number before to its own."""
