"""How each channel carries a letter to its reader."""
