"""Where what a chat brings goes: to the workflows of the process that works, or into the inbox for it."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa

from slipway.bot.core.model import Json
from slipway.bot.replicas.inbox import Heard, Inbox
from slipway.bot.store.database import Database

Payload = dict[str, Json]


class Intake(Protocol):
    """Takes in what is to be done, each once for its id."""

    async def start(self, name: str, workflow_id: str, payload: Payload) -> None:
        """Have a workflow run; when this returns it is committed. An id that is known does nothing."""
        ...

    async def start_unrecorded(self, name: str, workflow_id: str, payload: Payload) -> None:
        """As :meth:`start`, for what may as a whole be done again."""
        ...

    async def knows(self, workflow_id: str) -> bool:
        """Whether a workflow was ever to be started under this id."""
        ...


class ReplicaIntake:
    """Fulfils :class:`Intake` for one of several replicas.

    Args:
        workflows: of this process.
        inbox: what the leader is to take in.
        database: where the workflows of all are.
    """

    def __init__(self, workflows: Intake, inbox: Inbox, database: Database) -> None:
        self._workflows = workflows
        self._inbox = inbox
        self._database = database
        self._works = False

    def works(self, works: bool) -> None:
        """Whether this process has its workflows running."""
        self._works = works

    async def start(self, name: str, workflow_id: str, payload: Payload) -> None:
        """Here, or by the leader; where both heard it, once."""
        await (self._workflows.start if self._works else self._put)(name, workflow_id, payload)

    async def start_unrecorded(self, name: str, workflow_id: str, payload: Payload) -> None:
        """As :meth:`start`; the leader finds out anew what may be done again."""
        await (self._workflows.start_unrecorded if self._works else self._put)(name, workflow_id, payload)

    async def knows(self, workflow_id: str) -> bool:
        """Whether it is in the inbox, or was started; looked for in the order in which it moves."""
        if await self._inbox.has(workflow_id):
            return True
        if self._works:
            return await self._workflows.knows(workflow_id)
        query = sa.text(
            "SELECT 1 FROM dbos.workflow_status WHERE workflow_uuid = :id "
            "UNION ALL SELECT 1 FROM unrecorded_run WHERE id = :id"
        )
        async with self._database.reading() as connection:
            return await connection.scalar(query, {"id": workflow_id}) is not None

    async def _put(self, name: str, workflow_id: str, payload: Payload) -> None:
        await self._inbox.put(Heard(name, workflow_id, payload))
