"""Boot tests: a machine is launched from an image, looked at until it came up or did not, and ended."""
