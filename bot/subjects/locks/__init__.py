"""Locks as a subject of its own: releasing one whose holder is stuck, which is planned and audited."""
