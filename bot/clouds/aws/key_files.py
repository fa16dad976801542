"""AWS credentials in files, taken up anew once another one stands there: as after a rotation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.core.secret_files import SecretFile, Stamp, stamp_of

_IN_FILES = ("shared-credentials-file", "config-file")
"""Ways of botocore to find credentials that stand in its own file."""


def _log() -> Any:
    """The log, whose library takes longer to load than a declaration may."""
    import structlog

    return structlog.get_logger(__name__)


class KeyFiles:
    """Where the credentials of one client stand. Used in one thread at a time.

    Args:
        settings: ``[aws]`` or ``[aws.NAME]``.
        files: those that its secrets are in, by their fields.
    """

    def __init__(self, settings: AwsSettings, files: Mapping[str, SecretFile]) -> None:
        self._settings = settings
        self._files = files
        self._watched: dict[Path, Stamp] = {}

    def changed(self) -> bool:
        """Whether another one stands in a file than when the client was made. A file that is gone changes nothing."""
        now = {path: stamp_of(path) for path in self._watched}
        return any(now[path] is not None and now[path] != stamp for path, stamp in self._watched.items())

    def keys(self) -> tuple[str | None, str | None]:
        """The id and the secret of the key that slipway.toml gives, as they stand in their files now; None for
        neither."""
        self._watched = {each.path: each.stamp() for each in self._files.values()}
        return (
            self._now("access_key_id", self._settings.access_key_id),
            self._now("secret_access_key", self._settings.secret_access_key),
        )

    def watch(self, session: Any) -> None:
        """Watch the file in which botocore found credentials, if it was one."""
        found = session.get_credentials()
        if found is not None and found.method in _IN_FILES:
            for name in ("credentials_file", "config_file"):
                path = Path(session._session.get_config_variable(name)).expanduser()
                self._watched[path] = stamp_of(path)

    def _now(self, name: str, given: SecretStr | None) -> str | None:
        file = self._files.get(name)
        if file is not None:
            try:
                return file.read()
            except ValueError as error:
                _log().warning(
                    "an AWS credential cannot be read again; the one before is used", why=str(error)
                )
        return given.get_secret_value() if given is not None else None
