"""Durable workflows, and the only module that knows DBOS.

A workflow is named, gets a JSON object, and is started under an id. One id runs once, whoever starts it and
however often: the id of a chat event is thereby its duplicate check and its inbox at once. Inside a workflow
every effect stands in a step; what a step returned is stored, and after a crash the workflow goes on behind
the last stored step. The step that was under way runs again, so each observes before it acts.

DBOS keeps one instance a process, in a global of its own; this module keeps it away from the rest.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from slipway.bot.core.errors import StorageError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.model import Json
from slipway.bot.core.storage_errors import storage_failure
from slipway.bot.logs import about
from slipway.bot.store.state_files import executor_id
from slipway.bot.store.storage import Storage, StorageState
from slipway.bot.store.unrecorded import UnrecordedRun, UnrecordedRuns
from slipway.bot.workflows import calm
from slipway.bot.workflows.bodies import Body, Payload, told
from slipway.bot.workflows.calm import QueuePace
from slipway.bot.workflows.repeatable import RepeatableRuns
from slipway.bot.workflows.serializing import serializer
from slipway.bot.workflows.stored import APPLICATION_VERSION, ENDED, RUNNING, UNFINISHED, over, unfinished
from slipway.bot.workflows.stores import SqliteWorkflows, WorkflowStore
from slipway.bot.workflows.strays import Strays
from slipway.bot.workflows.under_way import UnderWay
from slipway.bot.workflows.unreadable import Unreadable

if TYPE_CHECKING:
    import sqlalchemy as sa

T = TypeVar("T")

Effect = Callable[[], Coroutine[Any, Any, Json]]

NOTIFICATION_POLL_SECONDS = 0.5
"""How often DBOS's listener looks whether it is to stop: it listens for notifications, which nobody sends here."""

RESULT_POLL_SECONDS = 0.1
"""How often it is looked whether a workflow has ended that another one waits for."""

HURRY_SECONDS = 60.0
"""How long DBOS looks often into its queue after something was put there."""

log = structlog.get_logger(__name__)


class WorkflowEngine:
    """Starts workflows, runs their steps, and recovers after a crash what had not ended.

    Register every workflow before :meth:`launch`. Bodies must decide only on their payload and on what steps
    returned, so that running them again takes the same path.

    Args:
        state_dir: the state folder.
        storage: whether the database can be written; while it cannot, workflows stand still and lose nothing.
        store: where workflows are kept; without one, in a file in that folder.
        fence: asked before each step: none begins where another process may work.
        unrecorded: where it is kept what is done without recording its steps; without one, all is recorded.
    """

    def __init__(
        self,
        state_dir: Path,
        storage: Storage,
        store: WorkflowStore | None = None,
        fence: Fence = NO_FENCE,
        unrecorded: UnrecordedRuns | None = None,
    ) -> None:
        self._fence = fence
        self._state_dir = state_dir
        self._store = store if store is not None else SqliteWorkflows(state_dir)
        self._storage = storage
        self._unrecorded = unrecorded
        self._launched = False
        self._bodies: dict[str, Body] = {}
        self._functions: dict[str, Body] = {}
        self._under_way = UnderWay(self._changed)
        self._repeatable = (
            None
            if unrecorded is None
            else RepeatableRuns(unrecorded, self._bodies, self._under_way, self.persistently)
        )
        self._unreadable = Unreadable(self._under_way, storage.writable, self._over)
        self._resuming: set[asyncio.Task[None]] = set()
        self._starting: set[str] = set()
        self._pace: QueuePace | None = None
        self._hurrying = 0
        self._strays = Strays(storage.writable, self._marked, self._carried_on, self._resume)
        self._closing = False
        self._dbos: Any = None
        self._engine: Any = None

    def register(self, name: str, body: Body) -> None:
        """Make a workflow known under a name that stays the same for ever."""
        self._bodies[name] = body

    async def launch(self) -> None:
        """Open the workflow database and go on with whatever a former process left unfinished.

        Raises:
            StateError: it is no such database, or it cannot be read or written.
        """
        _keep_to_our_log()
        # Importing DBOS takes about a second: off the loop, so that chats can connect meanwhile.
        await asyncio.to_thread(__import__, "dbos")
        import sqlalchemy as sa

        try:
            await self._open()
        except (sa.exc.DatabaseError, sqlite3.Error) as error:
            why = error.orig if isinstance(error, sa.exc.DatabaseError) else error
            raise self._store.unusable(why) from error
        self._launched = True
        self._strays.open()
        left = await asyncio.to_thread(unfinished, frozenset(self._bodies))
        self._under_way.found(left)
        if self._repeatable is not None:
            await self._repeatable.go_on()

    async def _open(self) -> None:
        import sqlalchemy as sa
        from dbos import DBOS

        executor = executor_id(self._state_dir)
        if left := await asyncio.to_thread(self._store.take_over, executor):
            log.warning("work that another id has begun is taken over", workflows=left)
        self._engine = engine = self._store.engine()
        sa.event.listen(engine, "handle_error", self._wait_for_storage)
        self._dbos = DBOS(
            config={
                "name": "slipway",
                "system_database_engine": engine,
                "system_database_url": self._store.url,
                "use_listen_notify": False,  # nothing here waits for DBOS's notifications
                "application_version": APPLICATION_VERSION,
                "executor_id": executor,
                "serializer": serializer(),
                "notification_listener_polling_interval_sec": NOTIFICATION_POLL_SECONDS,
                "log_level": "ERROR",
                "enable_otlp": False,
            }
        )
        for name, body in self._bodies.items():
            # A crash loop must end by a person's hand, never by giving up on an operation: no limit.
            decorate = DBOS.workflow(name=name, max_recovery_attempts=None)
            self._functions[name] = decorate(self._counted(name, body))
        calm.before_launch()
        await asyncio.to_thread(self._store.make_tables, engine)
        DBOS.launch()  # on the loop: what it goes on with runs where it was launched
        self._pace = QueuePace(self._dbos)
        await asyncio.to_thread(self._store.prepare, engine)

    def _wait_for_storage(self, context: sa.engine.ExceptionContext) -> None:
        """Where an error says that nothing can be written, keep DBOS waiting, and let it try again after that.

        DBOS does its statements in threads, repeats a transaction whose connection was lost, and takes any other
        error for the end of its workflow.
        """
        failure = storage_failure(context.original_exception)
        if failure is None:
            return
        self._storage.failed(failure)
        self._strays.expected()
        if not self._launched:  # on the loop, where nothing may wait
            return
        self._store.let_go(context)
        if not self._storage.wait_in_thread():
            if threading.current_thread().daemon:  # one of DBOS's own, which log an error, and end
                return
            raise asyncio.CancelledError  # the bot stops: the workflow is left for the next start
        context.is_disconnect = True

    def _counted(self, name: str, body: Body) -> Body:
        from dbos import DBOS

        async def run(payload: Payload) -> None:
            task = asyncio.current_task()
            workflow_id = DBOS.workflow_id
            if self._closing or task is None or workflow_id is None:
                raise asyncio.CancelledError
            with self._under_way.body(task, workflow_id), about(workflow=workflow_id):
                try:
                    await told(name, body(payload))
                except StorageError as error:
                    # Neither done nor failed: it goes on behind its last step once that can be read.
                    self._begin_again(workflow_id, task)
                    raise asyncio.CancelledError from error

        run.__qualname__ = run.__name__ = name
        return run

    def _begin_again(self, workflow_id: str, broken_off: asyncio.Task[Any]) -> None:
        """Let a workflow that was broken off go on, as after a crash."""
        if self._closing:  # it is left for the next start
            return

        async def resume() -> None:
            await asyncio.wait({broken_off})
            await self._resume(workflow_id)

        self._under_way.broken_off(workflow_id)
        # Not in the workflow's own context: there it would be a step of that.
        task = asyncio.create_task(resume(), name=f"resume {workflow_id}", context=contextvars.Context())
        self._resuming.add(task)
        task.add_done_callback(self._resumed)

    async def _resume(self, workflow_id: str) -> None:
        from dbos import DBOS

        await self.persistently(lambda: DBOS.resume_workflow_async(workflow_id))
        self._hurrying += 1
        self._changed()
        asyncio.get_running_loop().call_later(HURRY_SECONDS, self._hurried)

    def _hurried(self) -> None:
        self._hurrying -= 1
        self._changed()

    async def _marked(self) -> Set[str]:
        return await asyncio.to_thread(unfinished, frozenset(self._bodies), RUNNING)

    async def _over(self, ids: Set[str]) -> Set[str]:
        return await asyncio.to_thread(over, ids)

    def _carried_on(self) -> Set[str]:
        return self._under_way.ids | self._starting

    def _resumed(self, task: asyncio.Task[None]) -> None:
        self._resuming.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a workflow is left for the next start", task=task.get_name(), exc_info=error)

    async def start(self, name: str, workflow_id: str, payload: Payload) -> None:
        """Start a workflow under an id; when this returns it is committed, and will run to its end.

        If the id was started before, nothing happens.
        """
        from dbos import DBOS, SetWorkflowID

        self._starting.add(workflow_id)
        try:
            with SetWorkflowID(workflow_id):
                handle = await DBOS.start_workflow_async(self._functions[name], payload)
            future: asyncio.Future[Any] | None = getattr(handle, "task", None)  # none: started before
            if future is not None and not future.done():
                self._under_way.until_stored(future, workflow_id)
        finally:
            self._starting.discard(workflow_id)

    async def start_unrecorded(self, name: str, workflow_id: str, payload: Payload) -> None:
        """As :meth:`start`, for a body of which each effect may happen again: it reads, and says what it found once
        for its key. No step of it is recorded: after a crash all of it is done anew."""
        if self._repeatable is None:
            await self.start(name, workflow_id, payload)
        else:
            await self._repeatable.start(UnrecordedRun(workflow_id, name, payload))

    def _changed(self) -> None:
        self._unreadable.look()
        if self._pace is not None:
            self._pace.set(fast=bool(self._under_way.to_begin) or self._hurrying > 0)

    async def step(self, name: str, effect: Effect) -> Json:
        """Run an effect inside a workflow, once its result is stored never again."""
        if self._repeatable is not None and self._repeatable.is_one(asyncio.current_task()):
            await self._fence.held()
            return await self.persistently(effect)
        from dbos import DBOS

        async def run() -> Json:  # DBOS tells async steps by their kind of function; a lambda is not one
            await self._fence.held()
            return await self.persistently(effect)

        return await DBOS.run_step_async({"name": name}, run)

    async def persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something; where the state folder could not be used, all of it again once it can be."""
        while True:
            try:
                return await work()
            except StorageError:
                await self._storage.writable()

    async def knows(self, workflow_id: str) -> bool:
        """Whether a workflow was ever started under this id."""
        from dbos import DBOS

        if self._unrecorded is not None and await self._unrecorded.has(workflow_id):
            return True
        return await DBOS.get_workflow_status_async(workflow_id) is not None

    async def newest(self, prefix: str) -> str | None:
        """The greatest id with this beginning under which a workflow was ever started."""

        async def look() -> str | None:
            try:
                return await asyncio.to_thread(self._store.greatest_id, prefix)
            except Exception as error:
                failure = storage_failure(error)
                if failure is None:
                    raise
                raise StorageError(
                    f"Workflows cannot be read now: {self._storage.failed(failure)}."
                ) from error

        return await self.persistently(look)

    async def over(self, workflow_id: str) -> bool:
        """Whether a workflow was started under this id and has ended, well or badly."""
        from dbos import DBOS

        found = await DBOS.get_workflow_status_async(workflow_id)
        return found is not None and found.status not in UNFINISHED

    async def ended(self, workflow_id: str) -> None:
        """Wait, inside a workflow, until another one has ended that was started before, well or badly."""
        from dbos import DBOS

        # Asked whether it exists, DBOS would store the answer as a step, and its status is not JSON.
        handle: Any = await DBOS.retrieve_workflow_async(workflow_id, existing_workflow=False)
        try:
            await handle.get_result(polling_interval_sec=RESULT_POLL_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever another workflow raised
            # How it ended is its own matter, and was logged there; here it counts that it has.
            log.info(
                "a workflow that was waited for had failed", workflow=workflow_id, why=type(error).__name__
            )

    async def prune(self, before: datetime, most: int) -> int:
        """Forget workflows that were started before a time and have ended, oldest first, with all their steps.

        An id that is forgotten could be started again: what is as old as that must be refused for its age.

        Args:
            before: the time.
            most: so many at once, in one transaction.

        Returns:
            How many were forgotten; ``most`` means that there may be more.
        """
        from dbos import DBOS

        found = await DBOS.list_workflows_async(
            status=list(ENDED), end_time=before.isoformat(), limit=most, load_input=False, load_output=False
        )
        if found:
            await DBOS.delete_workflows_async([each.workflow_id for each in found])
        unrecorded = 0 if self._unrecorded is None else await self._unrecorded.prune(before, most)
        return max(len(found), unrecorded)

    async def idle(self) -> None:
        """Wait until no workflow is running in this process."""
        await self._under_way.idle()

    async def quiet(self) -> None:
        """Wait until each workflow that is running in this process, if any, rests."""
        await self._under_way.quiet()

    def rest(self) -> AbstractContextManager[None]:
        """What the body of a workflow does within is to wait for something that takes hours."""
        return self._under_way.rest()

    async def close(self, grace: timedelta) -> None:
        """Stop. Workflows get ``grace`` to end, those that rest none, and none does where nothing can be stored.

        The rest stay recorded and go on at the next start.
        """
        if self._dbos is None:
            return
        from dbos import DBOS

        seconds = 0.0 if self._storage.state is StorageState.FAILING else grace.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                await self.quiet()
        except TimeoutError:
            log.warning("workflows are left for the next start", count=len(self._under_way.ids))
        if self._under_way.anything:
            self._storage.close()  # first: what is interrupted may stand in a thread that waits for the disk
            await self._interrupt()
        self._storage.close()
        await self._strays.close()
        await self._unreadable.close()
        for task in self._resuming:
            task.cancel()
        # DBOS made its own pool of threads the loop's, and takes it down: what is still to be closed, such as
        # chats, and whatever else lives on this loop needs one that works.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        # With its last connection SQLite writes the log back into the file, which then can be copied by itself.
        await asyncio.to_thread(self._engine.dispose)
        self._dbos = None

    async def _interrupt(self) -> None:
        # A cancelled task leaves its workflow pending. Were DBOS taken down under it instead, its next step
        # would fail, and the failure could be stored as the workflow's end.
        self._closing = True
        if self._repeatable is not None:
            self._repeatable.close()
        await self._under_way.interrupt()


_TOLD_BY_US = "DBOS failed to launch"
"""What DBOS logs with a traceback before it raises the same, which :meth:`WorkflowEngine.launch` tells of."""


def _keep_to_our_log() -> None:
    # DBOS writes to standard error by itself, in a form of its own, unless its logger has a handler already.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(lambda record: not record.getMessage().startswith(_TOLD_BY_US))
