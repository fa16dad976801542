"""Getting to the homeserver: login, session, calls, rate limits."""
