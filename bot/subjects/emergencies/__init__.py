"""Reviewing what somebody let run in an emergency: an operation, planned and audited."""
