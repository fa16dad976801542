"""Reports: their sections, how they are put together, and what a room hears of them."""
