"""Who may decide, by what they type and press, and what of it counts."""
