"""The names of Azure's regions."""

from __future__ import annotations


def normalise_region(name: str) -> str:
    """A region's name as ids write it: “East US” and eastus are one."""
    return name.replace(" ", "").lower()
