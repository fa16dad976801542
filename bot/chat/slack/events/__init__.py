"""What Slack tells the adapter: messages, and changes of user groups."""
