"""Puts the running bot together."""
