"""What is inside versions."""
