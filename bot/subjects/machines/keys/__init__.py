"""People's public SSH keys: where they come from, and which of them are taken."""
