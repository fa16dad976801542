"""What a configuration does with an account of a cloud, and the rights that this takes; for `slipway permissions` and
for the trials of `slipway doctor`.

Subjects say what is done (:class:`Use`), and each cloud has one table of what that takes (its ``rights`` package).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from slipway.bot.clouds.image_family import ImageFamily


class Purpose(StrEnum):
    """Something that is done with an account, in the words in which a right is explained."""

    BASE = "look what is there"  # whatever is configured
    LAUNCH = "launch machines and look after them"
    IMAGES = "publish images and clean them up"
    PROTECT = "protect what is latest"
    POINT = "move a parameter with a promotion"
    TEMPLATE = "move a launch template with a promotion"
    SPEC = "launch by template specs"
    AUTHORS = "tell who changed images"
    LIST_CREDENTIALS = "look after credentials"
    ROTATE = "rotate credentials"
    DELIVER = "deliver new secrets"


EVERY = ""
"""In place of an account's name: all of them, as far as they do such a thing at all."""


@dataclass(frozen=True)
class Use:
    """What a subject does with an account.

    Attributes:
        account: its name, such as ``aws`` or ``azure.staging``, or :data:`EVERY`.
        purpose: what is done.
        names: of what alone: users, secrets, parameters; empty where the purpose has no such names.
    """

    account: str
    purpose: Purpose
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """All that is done with one account.

    Attributes:
        account: its name.
        deployment: the name of this Slipway, for tags.
        names: by purpose, of what alone.
        families: the families of images that are described for it, by their names.
    """

    account: str
    deployment: str
    names: Mapping[Purpose, tuple[str, ...]] = field(default_factory=dict)
    families: Mapping[str, ImageFamily] = field(default_factory=dict)

    @classmethod
    def of(
        cls, account: str, deployment: str, uses: Iterable[Use], families: Mapping[str, ImageFamily]
    ) -> Usage:
        """Put together what subjects say of an account."""
        names: dict[Purpose, tuple[str, ...]] = {Purpose.BASE: ()}
        for use in uses:
            if use.account in (account, EVERY):
                names[use.purpose] = tuple(dict.fromkeys((*names.get(use.purpose, ()), *use.names)))
        return cls(account, deployment, names, families)

    def has(self, purposes: Iterable[Purpose]) -> bool:
        """Whether any of these is done with it."""
        return any(each in self.names for each in purposes)


@dataclass(frozen=True)
class Policy:
    """What an account's credentials have to be allowed.

    Attributes:
        title: what it is, such as ``IAM policy``.
        documents: as the cloud takes them, each to be given to it as JSON.
        notes: what to do with them, a sentence each.
    """

    title: str
    documents: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
