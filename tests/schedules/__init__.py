"""Schedules as people see and pause them."""
