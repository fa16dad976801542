"""Break-glass: what nobody else agreed to, as it could not wait. Told to all, and reviewed afterwards."""
