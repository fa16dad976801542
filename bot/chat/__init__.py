"""Chats: platform-neutral messages and cards, and one adapter a platform."""
