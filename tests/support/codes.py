"""Authenticator apps of the people in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from slipway.bot.core.totp import code_at, new_secret, step_at
from tests.support.configuration import READER, RELENG


class Apps:
    """The app of each release engineer, and the files with their secrets.

    Args:
        folder: where the files are.
        clock: the time by the apps' clocks.
        given: every code that an app showed, for whoever looks where they must not be.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._secrets = {name: new_secret() for name in RELENG}
        self._files = {name: folder / f"{name}.totp" for name in RELENG}
        self.shown: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in self._files.items():
            file.touch(0o600)
            file.write_text(self._secrets[name].get_secret_value())

    @property
    def secrets(self) -> tuple[str, ...]:
        """What the apps share with Slipway, as it is typed into one."""
        return tuple(each.get_secret_value() for each in self._secrets.values())

    def code(self, who: str = "bob", *, steps: int = 0) -> str:
        """What an app shows, or showed so many steps ago or later."""
        code = code_at(self._secrets[who], step_at(self._clock()) + steps)
        self.shown.add(code)
        return code

    def changes(self, *kinds: str, identities: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Changes to a configuration: an approval of these kinds takes a code, and two have a secret."""
        named = identities or {}
        persons: list[dict[str, Any]] = [
            {
                "id": name,
                "name": name.capitalize(),
                "identities": [named.get(name, f"console:{name}")],
                "roles": ["reader" if name == READER else "releng"],
                **({"totp_secret_file": str(self._files[name])} if name in self._files else {}),
            }
            for name in (*RELENG, READER, "dave")
        ]
        return {"person": persons, "policy": {kind: {"step_up": True} for kind in kinds}}
