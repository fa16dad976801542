"""Cards and forms as Block Kit."""
