"""Copies of versions in regions: how far they are, what is latest where, and how a promotion reaches its regions.

- ``states``: what a version's copies say, in words; pure.
- ``looking``: asks for the copies of those versions that matter for what is latest.
"""
