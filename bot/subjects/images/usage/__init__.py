"""What uses versions, so that a clean-up removes nothing that somebody would miss."""
