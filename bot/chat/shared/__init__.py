"""What every adapter shares: cards as text, and cards made shorter."""
