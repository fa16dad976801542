"""slipway.toml and the environment, typed and checked."""
