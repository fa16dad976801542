"""States that released versions left behind in the middle of their work, and what this version makes of them."""
