"""What the clock says: ticks that walk in through the same door."""
