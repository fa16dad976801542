"""What reports say of images: what moved, what waits and why, what is held, going or owed."""
