"""How operations and what belongs to them are stored and read."""
