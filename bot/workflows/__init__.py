"""Durable workflows: what was begun is carried on after a crash. Only this package knows DBOS."""
