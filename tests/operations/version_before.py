"""The state folder of Slipway 0.1, as it was when the process was killed at work.

``data/slipway-0.1`` holds the rows of its two databases as that version (commit bf0ee60) wrote them:

=========  =====================================================================================
op-prmt    promoted the candidate of X64; op-back took it back
op-pend    waits for an approval; so does op-exp2
op-refu    failed, op-aged was stale, op-reje was rejected
op-runs    a clean-up of four versions: the first is deleted, the second was about to be
e15        ``!whoami`` is answered, and the answer was about to be said, in the room “slow”
e16        ``!images`` was being looked up for longer than people wait; and so was a schedule's tick
=========  =====================================================================================
"""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from slipway.bot.chat.model import Card
from slipway.bot.store.database import MIGRATIONS
from tests.support.memory_chat import MemoryChat, PostedMessage

DATA = Path(__file__).parent / "data" / "slipway-0.1"

SCHEMA = "0002"
"""The newest migration of then."""

ENTRIES = 37
"""In its audit trail."""

DELETED = ("fedora-cloud-rawhide-x64", "45.20261109.0")
"""What the clean-up under way had deleted, by definition and number."""

CONFIGURED: dict[str, Any] = {
    "schedule": [
        {
            "name": "weekly",
            "cron": "0 9 * * mon",
            "command": "images Fedora-Cloud-41-x64",
            "room": "console:console",
            "roles": ["releng"],
        }
    ]
}
"""What its configuration said beside the demo's."""


def restore(state_dir: Path) -> MemoryChat:
    """Put the folder there; the chat in which its messages stand."""
    state_dir.mkdir(parents=True, exist_ok=True)
    _migrate(state_dir / "slipway.db")
    (state_dir / "executor-id").write_text((DATA / "executor-id.txt").read_text())
    with sqlite3.connect(state_dir / "workflows.db") as workflows:
        workflows.executescript((DATA / "workflows.sql").read_text())
    with sqlite3.connect(state_dir / "slipway.db") as database:
        database.executescript((DATA / "slipway.sql").read_text())
        posted = database.execute("SELECT message_id, room, thread FROM message ORDER BY rowid").fetchall()
    chat = MemoryChat(prefix="n")
    chat.messages = [
        PostedMessage(message_id, room, thread, [Card(title="as it was")])
        for message_id, room, thread in posted
    ]
    chat.events = itertools.count(100)
    return chat


def _migrate(path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, SCHEMA)
    engine.dispose()
