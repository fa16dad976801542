"""What trying a connection brought, for `slipway doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from slipway.bot.core.errors import CloudError, ResponsibleParty


def reach(*addresses: str) -> str:
    """What to do where these did not answer: hosts or addresses of them."""
    hosts = " and ".join(urlsplit(each).netloc or each for each in addresses)
    return f"look whether this machine reaches {hosts}: name, firewall, proxy (HTTPS_PROXY)"


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
    """

    what: str
    detail: str
    problems: tuple[str, ...] = ()
    next: str = ""
    by: str = ""
    warnings: tuple[str, ...] = ()
    connection: bool = True

    @classmethod
    def of_error(cls, what: str, error: CloudError, to_do: str = "", by: str = "") -> Finding:
        """What a cloud's refusal to be looked at comes to; ``to_do`` is what mends it, where that is known."""
        later = error.responsible is ResponsibleParty.CLOUD
        step = to_do or ("try again later" if later else "mend what it says")
        return cls(what, "does not work", (error.words,), f"{step}; then `slipway doctor`", by)

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
