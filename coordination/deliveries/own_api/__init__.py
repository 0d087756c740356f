"""API of a reader: the inbox and wishes; and of robots in groups."""
