"""What looks after machines once a minute, from their launch to their end."""
