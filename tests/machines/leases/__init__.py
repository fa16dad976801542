"""Until when machines live, and how many there may be."""
