"""Lines that come neither from a chat nor from the clock."""
