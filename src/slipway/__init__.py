"""Slipway: a ChatOps bot for people who publish cloud images."""

__version__ = "0.2.0"
