"""Simulated clouds for the demo and the tests: real HTTP servers that know nothing of the bot."""
