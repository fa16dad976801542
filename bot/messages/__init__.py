"""What the bot says: each message once by its key, in order in its room, kept until its platform has taken it."""
