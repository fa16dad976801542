"""AWS behind its ports."""
