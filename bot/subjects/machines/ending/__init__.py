"""Ending machines: those that were named, and those whose time is up."""
