"""What trying a connection brought, for `slipway doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from slipway.bot.core.errors import CloudError, ResponsibleParty


def reach(*addresses: str) -> str:
    """What to do where these did not answer: hosts or addresses of them."""
    hosts = " and ".join(urlsplit(each).netloc or each for each in addresses)
    return f"look whether this machine reaches {hosts}: name, firewall, proxy (HTTPS_PROXY)"


class Verdict(StrEnum):
    """What came of one check. ``UNTRIED`` is what cannot be tried without doing it, or has nothing to be tried on."""

    PASS = "pass"  # noqa: S105 - a word, no secret
    UNTRIED = "untried"
    WARN = "warn"
    FAIL = "fail"


_BY_WEIGHT = tuple(Verdict)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, with what it consists of.

    Attributes:
        name: what it is, in a word or two, such as ``ec2:DescribeImages``; stable, for programs.
        own: what came of it by itself; :attr:`verdict` counts its parts, too.
        says: a sentence; may be empty where all is well.
        next: what to type or do; empty where nothing is to be done.
        parts: what it consists of.
    """

    name: str
    own: Verdict = Verdict.PASS
    says: str = ""
    next: str = ""
    parts: tuple[Check, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of its own and its parts'; a part that was not tried makes nothing of the whole worse."""
        each = (self.own, *(part.verdict for part in self.parts if part.verdict is not Verdict.UNTRIED))
        return max(each, key=_BY_WEIGHT.index)

    def leaves(self) -> Iterator[Check]:
        """It, and everything below it, that has no parts of its own."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True)
class Finding:
    """How one connection is.

    Attributes:
        what: the connection, such as ``slack`` or ``azure.staging``.
        detail: what was found, in a few words.
        problems: a sentence for each thing that is wrong.
        next: the command to type, or what to do; empty if all is well.
        by: as whom, or by which credentials it was tried, where the settings do not say; never a secret.
        warnings: a sentence for each thing that should be mended, and keeps nothing from working.
        connection: whether it is one, and not what is looked for over one.
        parts: what else was looked at there, each by itself, such as rights.
    """

    what: str
    detail: str
    problems: tuple[str, ...] = ()
    next: str = ""
    by: str = ""
    warnings: tuple[str, ...] = ()
    connection: bool = True
    parts: tuple[Check, ...] = ()

    @classmethod
    def of_error(cls, what: str, error: CloudError, to_do: str = "", by: str = "") -> Finding:
        """What a cloud's refusal to be looked at comes to; ``to_do`` is what mends it, where that is known."""
        later = error.responsible is ResponsibleParty.CLOUD
        step = to_do or ("try again later" if later else "mend what it says")
        return cls(what, "does not work", (error.words,), f"{step}; then `slipway doctor`", by)

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and all(each.verdict is not Verdict.FAIL for each in self.parts)

    @property
    def verdict(self) -> Verdict:
        """The worst of what was found."""
        if not self.well:
            return Verdict.FAIL
        warned = bool(self.warnings) or any(each.verdict is Verdict.WARN for each in self.parts)
        return Verdict.WARN if warned else Verdict.PASS
