"""What comes in: the sync loop, what a sync left out, who said it, what it means."""
