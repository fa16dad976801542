"""Who must agree to what: what slipway.toml says, which of its rules count for a change, and what is wrong."""
