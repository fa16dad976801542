"""Slipway: a ChatOps bot for people who publish cloud images."""

__version__ = "0.1.0"
