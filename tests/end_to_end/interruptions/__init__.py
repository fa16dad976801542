"""What is left by processes that die, platforms and rooms that are away, and files that are lost."""
