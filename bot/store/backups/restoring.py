"""Puts a backup back into a state folder in which nothing is."""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path

from slipway.bot.core.errors import StateError
from slipway.bot.core.private_folders import make_private
from slipway.bot.store.backups.making import digest_of
from slipway.bot.store.backups.manifest import MANIFEST, Manifest
from slipway.bot.store.database import HEAD
from slipway.bot.store.installation import damaged, losses
from slipway.bot.store.state_files import look

_MAY_BE_THERE = frozenset({"lock"})
"""Held by whoever restores."""


def restore_backup(source: Path, folder: Path, deployment: str) -> Manifest:
    """Put a backup back, after it was proved. The folder has to be locked by the caller.

    Args:
        source: the backup.
        folder: the state folder, in which nothing may be.
        deployment: whose backup it has to be, by the name in its configuration.

    Raises:
        StateError: the folder is used, or the backup is none, another deployment's, damaged, or of a newer Slipway.
    """
    if used := [each.name for each in folder.iterdir() if each.name not in _MAY_BE_THERE]:
        names = ", ".join(sorted(used)[:3])
        raise StateError(
            f"{folder} is used already ({names}), and nothing in it is replaced. Move it away, or name another."
        )
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as scratch:
            manifest = _unpack(source, Path(scratch))
            if manifest.deployment != deployment:
                raise StateError(
                    f"The backup is of {manifest.deployment}, and this is {deployment}: its operations would be "
                    f"carried out here. If that is meant, say so: --of {manifest.deployment}"
                )
            _prove(Path(scratch), manifest)
            _move(Path(scratch), folder, manifest)
    except tarfile.TarError as error:
        raise StateError(f"{source} is no backup of Slipway's, or a damaged one.") from error
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it ends too early"
        raise StateError(f"{source} cannot be put back into {folder}: {why}.") from error
    return manifest


def _unpack(source: Path, scratch: Path) -> Manifest:
    """Only what the manifest names is taken out, and only as plain files."""
    with tarfile.open(source, mode="r:gz") as archive:
        first = archive.next()
        text = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
        if text is None:
            raise StateError(f"{source} is no backup of Slipway's: it does not begin with {MANIFEST}.")
        manifest = Manifest.parse(text.read())
        for path in manifest.files:
            entry = archive.getmember(path) if path in archive.getnames() else None
            content = archive.extractfile(entry) if entry is not None and entry.isreg() else None
            if content is None:
                raise StateError(f"The backup lacks the file {path}.")
            target = scratch / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while chunk := content.read(1 << 20):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
    return manifest


def _prove(scratch: Path, manifest: Manifest) -> None:
    for path, known in manifest.files.items():
        if digest_of(scratch / path) != known:
            raise StateError(f"The file {path} in the backup was changed or damaged after it was made.")
    if manifest.schema > HEAD:
        raise StateError(
            f"The backup is of a newer Slipway ({manifest.version}, schema {manifest.schema}; {HEAD} is known here): "
            "use that version."
        )
    facts = look(scratch)
    if wrong := [*damaged(facts), *losses(facts)]:
        raise StateError(f"The backup is not whole: {' '.join(wrong)}")


def _move(scratch: Path, folder: Path, manifest: Manifest) -> None:
    for path in manifest.files:
        target = folder / path
        if target.parent != folder:
            make_private(target.parent)
        (scratch / path).rename(target)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
