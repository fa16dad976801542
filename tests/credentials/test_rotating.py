"""The steps of a rotation by themselves: cut off anywhere, with room for two keys, and with what is in use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.access_keys import ACCESS_KEYS, AccessKey
from slipway.bot.clouds.ports.credential_rotation import CREDENTIAL_ROTATION, FreshKey, HeldKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Step
from slipway.bot.core.waiting import Polling
from slipway.bot.people import People
from slipway.bot.subjects.credentials.answers import Answers
from slipway.bot.subjects.credentials.delivery.addresses import Form
from slipway.bot.subjects.credentials.delivery.files import FileSink
from slipway.bot.subjects.credentials.delivery.model import Delivery, Sink, sink_error
from slipway.bot.subjects.credentials.inventory import Inventory
from slipway.bot.subjects.credentials.rotating.executors import GraceExecutor, PauseExecutor, RemoveExecutor
from slipway.bot.subjects.credentials.rotating.ledger import Rotation, RotationLedger
from slipway.bot.subjects.credentials.rotating.leftovers import RemovePlanner
from slipway.bot.subjects.credentials.rotating.planner import RotatePlanner
from slipway.bot.subjects.credentials.rotating.requests import Remove, Rotate
from slipway.bot.subjects.credentials.rotating.staging import StageExecutor, Workshop
from slipway.bot.subjects.credentials.rotating.steps import AwaitGrace, PauseKey, RemoveKey, StageSuccessor
from slipway.bot.subjects.credentials.services import CredentialServices
from slipway.bot.subjects.credentials.settings import CredentialSettings, ExpirySettings
from tests.support.clock import DAY, HOUR, NOW, FakeClock, FakeUptime, no_wait
from tests.support.configuration import settings_of, valid_document
from tests.support.key_value_store import InMemoryStore

TOKEN = "slipway-op-1"


class Died(BaseException):
    """The process ends here."""


@dataclass
class Account:
    """Fulfils CredentialRotation and AccessKeys for one user, as IAM does; each call may be the last."""

    clock: FakeClock
    held: list[HeldKey] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    dies_after: str = ""
    most: int | None = 2
    labels: bool = False
    pauses: bool = True
    logged: dict[str, str] | None = None

    def __post_init__(self) -> None:
        self.add("OLD", NOW - 100 * DAY)

    def add(self, key: str, made: Any, label: str = "") -> None:
        """A key that is there."""
        self.held.append(HeldKey(key, label, True, made, None, None))

    def called(self, name: str) -> None:
        """Note a call; the process may end by it."""
        self.calls.append(name)
        if self.dies_after == name:
            self.dies_after = ""
            raise Died

    async def users(self) -> list[str]:
        return ["uploader"]

    async def keys(self, holder: str) -> list[Any]:
        return list(self.held)

    async def create(self, holder: str, label: str, ends_at: Any) -> FreshKey:
        if self.most is not None and len(self.held) >= self.most:
            raise CloudError(CloudErrorKind.QUOTA, cloud="aws", sentence="The user has two keys.")
        key = f"NEW{self.calls.count('create') + 1}"
        if self.logged is not None:
            self.logged[key] = label
        self.add(key, self.clock(), label if self.labels else "")
        self.called("create")
        return FreshKey(key, key, SecretStr(f"secret of {key}"), None)

    async def makers(self, holder: str, since: datetime) -> dict[str, str]:
        return self.logged or {}

    async def accepts(self, holder: str, fresh: FreshKey) -> bool:
        self.called("accepts")
        return any(each.id == fresh.id and each.active for each in self.held)

    async def deactivate(self, holder: str, key: str) -> None:
        self.held = [replace(each, active=False) if each.id == key else each for each in self.held]
        self.called("deactivate")

    async def remove(self, holder: str, key: str) -> None:
        self.held = [each for each in self.held if each.id != key]
        self.called("remove")

    async def close(self) -> None:
        """Holds nothing."""

    @property
    def ids(self) -> list[str]:
        """What is there."""
        return [each.id for each in self.held]


@dataclass(frozen=True)
class Refusing:
    """A sink that has no room, or ends the process."""

    error: BaseException
    title: str = "the file full"
    can_undo: bool = True

    async def look(self) -> None:
        """It looks well."""

    async def prepare(self, delivery: Delivery) -> Any:
        return self

    async def commit(self) -> None:
        raise self.error

    async def undo(self) -> bool:
        return True

    async def discard(self) -> None:
        """There is nothing."""


class World:
    """One user, a file for the key, and the executors; what is kept outlives them."""

    def __init__(self, folder: Path, **account: Any) -> None:
        self.clock = FakeClock()
        self.uptime = FakeUptime()
        self.account = Account(self.clock, **account)
        self.file = folder / "keys"
        self.sinks: list[Sink] = [FileSink("the file keys", self.file, Form.SECRET, 10)]
        self.store = InMemoryStore()
        common = {
            "entry": "ec2",
            "account": "aws",
            "holder": "uploader",
            "credential": "aws:key:OLD",
            "key": "OLD",
            "name": "ec2",
        }
        self.stage_step = StageSuccessor(**common, sinks=("the file keys",))
        self.steps: tuple[Step, ...] = (
            self.stage_step,
            AwaitGrace(**common, seconds=86400),
            PauseKey(**common),
            RemoveKey(**common),
        )

    @property
    def shop(self) -> Workshop:
        """As after a start."""
        clouds = Clouds([Adapter("aws", {CREDENTIAL_ROTATION: self.account, ACCESS_KEYS: self.account})])
        polling = Polling(looks=6, pause=1, sleep=no_wait)
        ledger = RotationLedger(self.store)
        return Workshop(clouds, ledger, lambda _: self.sinks, self.clock, polling, self.uptime)

    async def stage(self, token: str = TOKEN) -> None:
        """Make, try and deliver a successor, as the runner does."""
        executor = StageExecutor(self.shop)
        if await executor.observe(self.stage_step, token) is None:
            await executor.act(self.stage_step, token)
            await executor.verify(self.stage_step, token)

    async def finish(self) -> None:
        """The steps behind it, once their time has come."""
        _, grace, pause, remove = self.steps
        self.clock.advance(DAY)
        assert isinstance(grace, AwaitGrace)
        assert await GraceExecutor(self.shop).observe(grace, "") is not None
        assert isinstance(pause, PauseKey)
        if await PauseExecutor(self.shop).observe(pause, "") is None:
            await PauseExecutor(self.shop).act(pause, "")
            await PauseExecutor(self.shop).verify(pause, "")
        assert isinstance(remove, RemoveKey)
        if await RemoveExecutor(self.shop, lambda: None).observe(remove, "") is None:
            await RemoveExecutor(self.shop, lambda: None).act(remove, "")
            await RemoveExecutor(self.shop, lambda: None).verify(remove, "")


@pytest.mark.parametrize(
    "source", [{"logged": {}}, {"labels": True, "most": None, "pauses": False}], ids=["keys", "secrets"]
)
@pytest.mark.parametrize("last", ["create", "accepts", "commit"])
async def test_cut_off_anywhere_one_key_works_in_the_end_and_none_is_left_over(
    tmp_path: Path, source: dict[str, Any], last: str
) -> None:
    world = World(tmp_path, **source)
    usual = list(world.sinks)
    if last == "commit":  # the file has it already, what comes behind has not
        world.sinks.append(Refusing(Died()))
    else:
        world.account.dies_after = last
    with pytest.raises(Died):
        await world.stage()
    assert "OLD" in world.account.ids
    world.sinks = usual
    await world.stage()
    assert world.account.ids == ["OLD", "NEW2"]
    assert world.file.read_text() == "secret of NEW2"
    assert "secret of" not in repr(world.store.values)
    await world.finish()
    assert world.account.ids == ["NEW2"]


async def test_what_may_be_somebody_elses_key_is_told_and_never_taken_away(tmp_path: Path) -> None:
    world = World(tmp_path, most=None)
    world.account.dies_after = "create"
    with pytest.raises(Died):
        await world.stage()
    world.account.add("THEIRS", NOW)
    for _ in range(2):
        with pytest.raises(UserError, match="NEW1 and THEIRS came to uploader as Slipway asked"):
            await world.stage()
    assert world.account.ids == ["OLD", "NEW1", "THEIRS"]
    kept = await RotationLedger(world.store).about("ec2", "aws:key:OLD")
    assert kept is not None
    assert kept.failures == 2, "so it is a person's problem"
    world.account.logged = {"NEW1": TOKEN, "THEIRS": ""}  # the cloud's log tells, some time later
    await world.stage("another-operation")
    assert world.account.ids == ["OLD", "THEIRS", "NEW2"]


async def test_a_key_that_was_used_or_came_later_is_not_taken_for_ours(tmp_path: Path) -> None:
    world = World(tmp_path, most=None)
    world.account.dies_after = "create"
    with pytest.raises(Died):
        await world.stage()
    world.account.held[-1] = replace(world.account.held[-1], used_at=NOW)
    world.account.add("LATER", NOW + HOUR)
    await world.stage()
    assert world.account.ids == ["OLD", "NEW1", "LATER", "NEW2"]


async def test_what_fails_as_often_as_it_is_tried_leaves_the_old_one_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sinks.append(Refusing(sink_error("the file full", "no space left on device")))
    with pytest.raises(CloudError, match="ec2 works on") as caught:
        await world.stage()
    assert "no space left on device" in caught.value.sentence
    assert world.account.ids == ["OLD"]
    assert not world.file.exists()
    kept = await RotationLedger(world.store).about("ec2", "aws:key:OLD")
    assert kept is not None
    assert (kept.failures, kept.left) == (1, ())


async def test_a_key_that_is_never_accepted_reaches_no_reader(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def refused(holder: str, fresh: FreshKey) -> bool:
        return False

    world.account.accepts = refused  # type: ignore[method-assign]
    with pytest.raises(CloudError, match="did not work 3 times in a row within 6s") as caught:
        await world.stage()
    assert caught.value.kind is CloudErrorKind.UNVERIFIED
    assert world.account.calls.count("create") == 3, "it is tried some times"
    assert world.account.ids == ["OLD"]
    assert not world.file.exists()


async def test_a_clock_that_is_set_ends_no_time_of_grace_early_and_none_late(tmp_path: Path) -> None:
    world = World(tmp_path)
    grace = world.steps[1]
    assert isinstance(grace, AwaitGrace)

    async def is_over() -> bool:
        return await GraceExecutor(world.shop).observe(grace, "token") is not None

    await world.stage()
    assert not await is_over()
    world.clock.advance(30 * DAY)  # set forward by a month
    world.uptime.advance(HOUR)
    assert not await is_over()
    world.clock.advance(-60 * DAY)
    world.uptime.advance(22 * HOUR)
    assert not await is_over()
    world.clock.advance(HOUR)
    world.uptime.advance(HOUR)
    assert await is_over()


async def test_a_wait_that_a_clock_began_which_was_ahead_before_a_boot_takes_its_time_once_more(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    grace = world.steps[1]
    assert isinstance(grace, AwaitGrace)
    world.clock.advance(365 * DAY)
    await world.stage()
    assert await GraceExecutor(world.shop).observe(grace, "token") is None
    world.clock.advance(-365 * DAY)
    world.uptime.boot()
    assert await GraceExecutor(world.shop).observe(grace, "token") is None
    world.clock.advance(DAY)
    world.uptime.advance(DAY)
    assert await GraceExecutor(world.shop).observe(grace, "token") is not None


async def test_a_key_that_is_used_still_or_has_nothing_in_its_place_stays(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.stage()
    world.account.held[0] = replace(world.account.held[0], used_at=NOW + 23 * HOUR)
    with pytest.raises(CloudError, match="something has not taken that up"):
        await world.finish()
    assert [each.active for each in world.account.held] == [True, True]
    world.account.held[:] = [replace(world.account.held[0], used_at=NOW)]
    with pytest.raises(CloudError, match="nothing in the place of ec2 any more"):
        await world.finish()
    assert world.account.ids == ["OLD"]


async def test_with_both_keys_there_a_person_chooses_which_goes(tmp_path: Path) -> None:
    world = World(tmp_path)
    held = [
        AccessKey(f"AKIA{name:0>16}", "uploader", True, NOW - 9 * DAY, NOW, "ec2")
        for name in ("OLD", "OTHER")
    ]
    world.account.held = [HeldKey(each.id, "", True, each.created_at, None, each.used_at) for each in held]

    async def listed(_user: str) -> list[AccessKey]:
        return held

    account: Any = world.account
    keys: Any = type("Keys", (), {"keys": staticmethod(listed)})
    clouds = Clouds([Adapter("aws", {CREDENTIAL_ROTATION: account, ACCESS_KEYS: keys})])
    entry = CredentialSettings.model_validate(
        {"owner": "alice", "user": "uploader", "deliver": ["file:/x/keys"]}
    )
    services = CredentialServices(
        Inventory({"ec2": entry}, clouds, {}, timedelta(days=90)),
        ExpirySettings(),
        People(settings_of(valid_document())),
        world.clock,
        Answers(world.store),
        replace(world.shop, clouds=clouds),
    )
    planner = RotatePlanner(services)
    with pytest.raises(UserError, match=r"room for 2 keys, and both are there: .*OLD, made on .*OTHER"):
        await planner.plan(Rotate(name="ec2/00000OLD"), NOW)
    with pytest.raises(UserError, match="ec2 has 2 credentials; say which"):
        await planner.plan(Rotate(name="ec2"), NOW)

    remover = RemovePlanner(services)
    removal = await remover.plan(Remove(name="ec2/00000OLD"), NOW)
    assert "used last on 2026-11-20" in str(removal.evidence)
    assert [step.kind for step in removal.steps] == [
        "credential-pause",
        "credential-grace",
        "credential-remove",
    ]
    pause = removal.steps[0]
    assert isinstance(pause, PauseKey)
    held[0] = replace(held[0], active=False)
    world.account.held[0] = replace(world.account.held[0], active=False)
    assert await PauseExecutor(replace(world.shop, clouds=clouds)).observe(pause, "") is not None
    later = await remover.plan(removal.request, NOW + DAY)
    assert (later.steps, later.observed) == (removal.steps, removal.observed), (
        "its own step makes no plan stale"
    )
    held[0] = replace(held[0], active=True)

    held.pop()
    world.account.held.pop()
    draft = await planner.plan(Rotate(name="ec2"), NOW)
    assert [step.kind for step in draft.steps] == [
        "credential-stage",
        "credential-grace",
        "credential-pause",
        "credential-grace",
        "credential-remove",
    ]
    shop = services.workshop
    lost = Rotation(name="ec2", token=TOKEN, known=(held[0].id,), noted_at=NOW, unheard=True)
    held.append(AccessKey("AKIA0000000000000NEW", "uploader", True, NOW, None, ""))
    world.account.add(held[1].id, NOW)
    await shop.ledger.keep("ec2", draft.steps[0].model_dump()["credential"], lost)
    unclear = await planner.plan(Rotate(name="ec2"), NOW)
    assert unclear.request == draft.request, "by its table's name nobody means what came of a try"
    again = await planner.plan(draft.request, NOW + HOUR)
    assert (again.steps, again.observed) == (draft.steps, draft.observed)
