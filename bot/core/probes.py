"""What trying a connection brought, for `slipway doctor`."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.bot.core.errors import CloudError


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

    @classmethod
    def of_error(cls, what: str, error: CloudError) -> Finding:
        """What a cloud's refusal to be looked at comes to."""
        return cls(
            what,
            "does not work",
            (error.words,),
            f"whose move: {error.responsible}; then `slipway doctor`",
        )

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
