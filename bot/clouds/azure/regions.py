"""The names of Azure's regions."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def normalise_region(name: str) -> str:
    """A region's name as ids write it: “East US” and eastus are one.

    Remembered, since the few that there are come by the ten thousand.
    """
    return name.replace(" ", "").lower()
