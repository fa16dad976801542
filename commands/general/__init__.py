"""Commands about Slipway itself."""
