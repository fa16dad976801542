"""What whoever runs Slipway does beside running it: look, back up, hand over."""
