"""What people ask of their keys. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class AddKeys(Request):
    """Take keys of an account, or one that was pasted, for the machines that a person launches.

    ``account`` is ``github:NAME``; empty for a pasted ``line``. ``account_id`` is the number that the account had
    when it was planned first.
    """

    kind: Literal["sshkey-add"] = "sshkey-add"
    person: str
    account: str = ""
    account_id: str = ""
    line: str = ""


class RemoveKeys(Request):
    """Forget one key of a person, by its fingerprint or a beginning of it, or all of a source.

    ``fingerprints`` are what was found first.
    """

    kind: Literal["sshkey-remove"] = "sshkey-remove"
    person: str
    what: str = Field(min_length=1)
    fingerprints: tuple[str, ...] = ()
