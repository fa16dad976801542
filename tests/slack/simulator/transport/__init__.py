"""How the app hears: Socket Mode, signed HTTP, and the answers that it gives to a `response_url`."""
