"""Pages of a reader: the inbox, wishes, and the way to stop news; and of robots in groups."""
