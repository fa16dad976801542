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
import json
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
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
from slipway.bot.workflows.calm import QueuePace
from slipway.bot.workflows.stores import SqliteWorkflows, WorkflowStore
from slipway.bot.workflows.strays import Strays
from slipway.bot.workflows.unpickling import refuse_pickles

if TYPE_CHECKING:
    import sqlalchemy as sa
    from dbos import Serializer

T = TypeVar("T")

Payload = dict[str, Json]
Effect = Callable[[], Coroutine[Any, Any, Json]]
Body = Callable[[Payload], Coroutine[Any, Any, None]]

APPLICATION_VERSION = "1"
"""Stored with every workflow; one of another version is not recovered. Raise it only together with a
migration of the workflows under way (DBOS would otherwise take a hash of the source, and every new release
would leave pending approvals behind, silently)."""

NOTIFICATION_POLL_SECONDS = 0.5
"""How often DBOS's listener looks whether it is to stop: it listens for notifications, which nobody sends here."""

RESULT_POLL_SECONDS = 0.1
"""How often it is looked whether a workflow has ended that another one waits for."""

HURRY_SECONDS = 60.0
"""How long DBOS looks often into its queue after something was put there."""

_RUNNING = ("PENDING",)
_UNFINISHED = (*_RUNNING, "ENQUEUED")
"""DBOS's words for a workflow that is running, or will."""

_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""DBOS's words for a workflow that will not run again."""

log = structlog.get_logger(__name__)


def _serializer() -> Serializer:
    from dbos import Serializer

    refuse_pickles()

    class JsonSerializer(Serializer):
        """JSON and nothing else: what stands in the database can never become code, as pickle would."""

        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=_describe_error)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

        def name(self) -> str:
            return "slipway_json"

    return JsonSerializer()


def _describe_error(value: object) -> Json:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}  # the words may hold what must not be stored
    raise TypeError(f"{type(value).__name__} cannot be stored with a workflow")


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
        self._tasks: dict[asyncio.Task[Any], str] = {}  # bodies that are running, and their workflows
        self._pending: dict[asyncio.Future[Any], str] = {}  # started here, and not yet stored as ended
        self._repeatable: set[asyncio.Task[Any]] = set()  # those of the bodies whose steps are not recorded
        self._resting: set[str] = set()  # workflows of those that wait for hours
        self._recovering: set[str] = set()  # left by a former process, and not yet running again
        self._begun: set[str] | None = set()  # while it is found out what is left; then nobody asks
        self._resuming: set[asyncio.Task[None]] = set()
        self._starting: set[str] = set()
        self._pace: QueuePace | None = None
        self._hurrying = 0
        self._strays = Strays(storage.writable, self._marked, self._carried_on, self._resume)
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._quiet = asyncio.Event()
        self._quiet.set()
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
        left = await asyncio.to_thread(_unfinished, frozenset(self._bodies))
        self._recovering, self._begun = left - (self._begun or set()), None
        self._settle()
        if self._unrecorded is not None:
            for run in await self._unrecorded.left():
                self._begin(run)

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
                "serializer": _serializer(),
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
        DBOS.launch()
        self._pace = QueuePace(self._dbos)
        self._store.prepare(engine)

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
            self._tasks[task] = workflow_id
            if self._begun is not None:
                self._begun.add(workflow_id)
            self._recovering.discard(workflow_id)
            self._settle()
            try:
                with about(workflow=workflow_id):
                    await _told(name, body(payload))
            except StorageError as error:
                # Neither done nor failed: it goes on behind its last step once that can be read.
                self._begin_again(workflow_id, task)
                raise asyncio.CancelledError from error
            finally:
                self._tasks.pop(task, None)
                self._settle()

        run.__qualname__ = run.__name__ = name
        return run

    def _begin_again(self, workflow_id: str, broken_off: asyncio.Task[Any]) -> None:
        """Let a workflow that was broken off go on, as after a crash."""
        if self._closing:  # it is left for the next start
            return

        async def resume() -> None:
            await asyncio.wait({broken_off})
            await self._resume(workflow_id)

        self._recovering.add(workflow_id)
        # Not in the workflow's own context: there it would be a step of that.
        task = asyncio.create_task(resume(), name=f"resume {workflow_id}", context=contextvars.Context())
        self._resuming.add(task)
        task.add_done_callback(self._resumed)

    async def _resume(self, workflow_id: str) -> None:
        from dbos import DBOS

        await self.persistently(lambda: DBOS.resume_workflow_async(workflow_id))
        self._hurrying += 1
        self._settle()
        asyncio.get_running_loop().call_later(HURRY_SECONDS, self._hurried)

    def _hurried(self) -> None:
        self._hurrying -= 1
        self._settle()

    async def _marked(self) -> Set[str]:
        return await asyncio.to_thread(_unfinished, frozenset(self._bodies), _RUNNING)

    def _carried_on(self) -> Set[str]:
        return self._under_way() | self._starting

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
                self._pending[future] = workflow_id
                self._settle()
                future.add_done_callback(self._ended)
        finally:
            self._starting.discard(workflow_id)

    async def start_unrecorded(self, name: str, workflow_id: str, payload: Payload) -> None:
        """As :meth:`start`, for a body of which each effect may happen again: it reads, and says what it found once
        for its key. No step of it is recorded: after a crash all of it is done anew.

        That takes two commits instead of five, and half of the processor's time.
        """
        if self._unrecorded is None:
            await self.start(name, workflow_id, payload)
            return
        run = UnrecordedRun(workflow_id, name, payload)
        if await self._unrecorded.begin(run):
            self._begin(run)

    def _begin(self, run: UnrecordedRun) -> None:
        if run.id in self._tasks.values():
            return
        if run.name not in self._bodies:
            log.warning("work of another version of Slipway is left alone", workflows=[run.id])
            return
        task = asyncio.create_task(self._run_unrecorded(run), name=run.id)
        self._tasks[task] = run.id
        self._repeatable.add(task)
        self._settle()
        task.add_done_callback(self._ended_unrecorded)

    async def _run_unrecorded(self, run: UnrecordedRun) -> None:
        assert self._unrecorded is not None  # noqa: S101 - for the type checker; the callers looked
        if self._closing:
            return  # it is left for the next start
        with (
            about(workflow=run.id),
            suppress(Exception),
        ):  # a fault in Slipway itself, which is logged, ends it alone
            await self.persistently(lambda: _told(run.name, self._bodies[run.name](run.payload)))
        await self.persistently(partial(self._unrecorded.end, run.id))

    def _ended_unrecorded(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        self._repeatable.discard(task)
        self._settle()

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._pending.pop(future, None)
        self._settle()

    def _under_way(self) -> set[str]:
        return {*self._tasks.values(), *self._pending.values()}

    def _settle(self) -> None:
        under_way = self._under_way()
        for event, so in (
            (self._idle, not under_way and not self._recovering),
            (self._quiet, under_way <= self._resting and not self._recovering),
        ):
            event.set() if so else event.clear()
        if self._pace is not None:
            self._pace.set(fast=bool(self._recovering) or self._hurrying > 0)

    async def step(self, name: str, effect: Effect) -> Json:
        """Run an effect inside a workflow, once its result is stored never again."""
        if asyncio.current_task() in self._repeatable:
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
        return found is not None and found.status not in _UNFINISHED

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
            status=list(_ENDED), end_time=before.isoformat(), limit=most, load_input=False, load_output=False
        )
        if found:
            await DBOS.delete_workflows_async([each.workflow_id for each in found])
        unrecorded = 0 if self._unrecorded is None else await self._unrecorded.prune(before, most)
        return max(len(found), unrecorded)

    async def idle(self) -> None:
        """Wait until no workflow is running in this process."""
        await self._idle.wait()

    async def quiet(self) -> None:
        """Wait until each workflow that is running in this process, if any, rests."""
        await self._quiet.wait()

    @contextmanager
    def rest(self) -> Iterator[None]:
        """What the body of a workflow does within is to wait for something that takes hours."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker; something is awaited
        workflow_id = self._tasks[task]
        self._resting.add(workflow_id)
        self._settle()
        try:
            yield
        finally:
            self._resting.discard(workflow_id)
            self._settle()

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
            log.warning("workflows are left for the next start", count=len(self._under_way()))
        if self._tasks or self._pending:
            self._storage.close()  # first: what is interrupted may stand in a thread that waits for the disk
            await self._interrupt()
        self._storage.close()
        await self._strays.close()
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
        while self._tasks or self._pending:
            running = tuple(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.wait({*running, *self._pending}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)


async def _told(name: str, work: Awaitable[None]) -> None:
    """Do a workflow's work; the last boundary: a fault in Slipway itself must not end silently inside DBOS."""
    try:
        await work
    except StorageError:
        raise
    except Exception:
        log.exception("a workflow failed", name=name)
        raise


_TOLD_BY_US = "DBOS failed to launch"
"""What DBOS logs with a traceback before it raises the same, which :meth:`WorkflowEngine.launch` tells of."""


def _keep_to_our_log() -> None:
    # DBOS writes to standard error by itself, in a form of its own, unless its logger has a handler already.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(lambda record: not record.getMessage().startswith(_TOLD_BY_US))


def _unfinished(names: frozenset[str], states: Sequence[str] = _UNFINISHED) -> set[str]:
    """Ids of the workflows of these names that have not ended: what this version of Slipway goes on with.

    Others stay as they are for a version that knows them; to wait for them would be to wait for ever.
    """
    from dbos import DBOS

    found = DBOS.list_workflows(
        status=list(states), app_version=APPLICATION_VERSION, load_input=False, load_output=False
    )
    if unknown := [each.workflow_id for each in found if each.name not in names]:
        log.warning("work of another version of Slipway is left alone", workflows=unknown)
    return {each.workflow_id for each in found if each.name in names}
