"""How the adapter reaches Slack, and Slack the adapter."""
