"""What the clock asks for: ticks that come in by the same dispatcher as what people type."""
