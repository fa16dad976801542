"""The rooms: joining them, what the bot may do there, typing and receipts."""
