"""The `slipway` program."""
