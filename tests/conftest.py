"""Fixtures that every test may use."""

from __future__ import annotations

from tests.synapse import synapse

__all__ = ["synapse"]
