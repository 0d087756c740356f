"""How others keep a copy: feeds and calendar protocols."""
