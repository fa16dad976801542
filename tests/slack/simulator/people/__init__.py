"""People before Slack: what they type, press and fill in, and what they see."""
