"""The tags by which the adapter knows its own."""

DEPLOYMENT_TAG = "slipway"
"""On everything that Slipway makes: the name of the deployment that made it."""

TOKEN_TAG = "slipway:token"  # noqa: S105 - the name of a tag, no secret
"""On everything that Slipway makes: the token of the launch that made it."""
