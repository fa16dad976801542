"""One Azure account, as errors speak of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from slipway.bot.clouds.contact import CloudContact
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.fencing import NO_FENCE, Fence

CLOUD_NAME = "azure"
"""The name of the unnamed account, and of the table."""


@dataclass(frozen=True)
class AzureAccount:
    """Makes errors that say which account they are of.

    Attributes:
        name: the adapter's name, ``azure`` or ``azure.NAME``.
        contact: gets noted what Azure answers.
        deployment: the name of this Slipway, by which it knows what it protects.
        fence: asked right before each request that changes something.
    """

    name: str = CLOUD_NAME
    contact: CloudContact = field(default_factory=CloudContact, compare=False)
    deployment: str = "slipway"
    fence: Fence = field(default=NO_FENCE, compare=False)

    @property
    def title(self) -> str:
        """What people call it in a sentence; a named account by its name, too."""
        return "Azure" if self.name == CLOUD_NAME else f"Azure ({self.name})"

    def error(self, kind: CloudErrorKind, sentence: str, code: str = "", reason: str = "") -> CloudError:
        """A CloudError of this account; ``reason`` is Azure's own message."""
        return CloudError(kind, cloud=self.name, sentence=sentence, code=code, reason=reason)

    def unexpected_answer(self, sentence: str) -> CloudError:
        """The error for an answer that cannot be understood."""
        return self.error(CloudErrorKind.UNEXPECTED_ANSWER, sentence)
