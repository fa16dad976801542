"""The bot's own account: what is stored of it, its profile, its status, `slipway matrix login`."""
