"""Freezes: times in which nothing changes, by somebody's word or by the calendar of the configuration."""
