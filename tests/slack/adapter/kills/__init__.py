"""A bot on Slack that is killed."""
