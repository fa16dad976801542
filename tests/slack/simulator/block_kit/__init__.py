"""Block Kit: what Slack takes and refuses in blocks, views and metadata."""
