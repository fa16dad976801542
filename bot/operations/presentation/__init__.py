"""How operations look: cards, reports, and values for programs."""
