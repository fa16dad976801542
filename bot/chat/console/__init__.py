"""The chat in a terminal or on standard input and output: for demos, scripts and trying a configuration."""
