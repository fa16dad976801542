"""The heartbeat: a small file that says how the bot is doing. The bot writes it, `slipway health` reads it."""
