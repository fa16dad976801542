"""Codes beside approvals: comparing, counting, using up."""
