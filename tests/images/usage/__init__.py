"""What is in use is not removed."""
