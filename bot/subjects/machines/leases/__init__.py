"""Until when each machine lives, whose it is, and what is kept of that."""
