"""How many examples of a property are tried: more with ``--hypothesis-profile thorough``."""

from __future__ import annotations

from hypothesis import settings

EXAMPLES = 50
"""Of each property, unless it says otherwise."""


def examples(count: int) -> int:
    """So many instead of :data:`EXAMPLES`, and in proportion where more are tried of all."""
    return count * settings().max_examples // EXAMPLES
