"""Pages of alliances, their members, people and plans."""
