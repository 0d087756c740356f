"""The demo world: four alliances, one year."""
