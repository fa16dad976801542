"""Promotion rules: what must hold of a version before it is promoted, a file a rule, each pure.

A rule is a function of the facts about one version: why it must not be promoted, or None.
"""
