"""What trying a connection brought, for `slipway doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """How one connection is.

    Attributes:
        what: the connection, such as ``slack`` or ``azure.staging``.
        detail: what was found, in a few words.
        problems: a sentence for each thing that is wrong.
        next: the command to type, or what to do; empty if all is well.
    """

    what: str
    detail: str
    problems: tuple[str, ...] = ()
    next: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
