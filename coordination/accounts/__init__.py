"""Who asks: people, tokens, and the viewer that every rule reads."""
