"""Azure behind its ports."""
