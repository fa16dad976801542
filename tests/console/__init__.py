"""Tests of the console as a chat."""
