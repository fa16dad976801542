"""Which encrypted messages were read before: a homeserver that shows one again as a new one is not believed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

MessageIndex = tuple[str, str, int]
"""Sender's key, Megolm session, and the message's number in it."""

FirstEvent = tuple[str, int]
"""The event id and time under which a message was shown first."""


class MessageIndexStore:
    """In place of nio's memory of decrypted messages, which a restart would empty.

    It belongs to the store of keys beside it and is written like that: small, local, without waiting for the
    disk. What a power cut takes is no more than the messages of its last moments.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS message (sender_key TEXT, session TEXT, number INTEGER, "
            "event TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (sender_key, session, number)) WITHOUT ROWID"
        )
        path.chmod(0o600)

    def __getitem__(self, index: MessageIndex) -> FirstEvent:
        query = "SELECT event, at FROM message WHERE sender_key = ? AND session = ? AND number = ?"
        found = self._database.execute(query, index).fetchone()
        if found is None:
            raise KeyError(index)
        return str(found[0]), int(found[1])

    def __setitem__(self, index: MessageIndex, first: FirstEvent) -> None:
        self._database.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)", (*index, *first))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
