"""What subjects saw, for reports in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from slipway.bot.messages.service import Backlog, Lost
from slipway.bot.operations.model import OperationState
from slipway.bot.problems.model import Entry
from slipway.bot.reports.model import Part, Period, ReportView, Section
from slipway.bot.subjects.credentials import sections as credentials
from slipway.bot.subjects.images.announcing.model import Announcement
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.reporting import moved, standing
from slipway.bot.subjects.images.timeline.facts import Timeline, timeline_of
from slipway.bot.subjects.machines.launching.prices import PriceSettings
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.reporting import sections as machines
from slipway.bot.subjects.machines.reporting.costs import Cost
from slipway.bot.subjects.machines.reporting.report import Holding, Report
from slipway.commands.general import sections as general
from slipway.commands.operations import sections as operations
from slipway.commands.problems import sections as problems
from tests.images.builders import version
from tests.problems.builders import acknowledged, entry, found
from tests.support.azure import ARM, RAWHIDE, X64
from tests.support.clock import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
X64_REF, ARM_REF = DefinitionRef("azure", X64), DefinitionRef("azure", ARM)


def view(period: Period) -> ReportView:
    """Who reads it in UTC, at the end of the period or now."""
    return ReportView(NOW, period, ZoneInfo("UTC"), "!", str.capitalize)


def holding(owner: str, machines: int, so_far: float) -> Holding:
    cost = Cost(so_far, 0.0208 * machines)
    return Holding(owner, machines, 0, 0, 0, 5.0, cost, ())


RUNNING = machines.Running(
    Report(
        people=(holding("alice", 2, 1.25), holding("bob", 1, 0.5)),
        everybody=holding("", 3, 1.75),
        idle=(),
        orphans=(),
        leftovers=(),
        unread=(),
    ),
    "USD",
)


def machine(number: int, owner: str, *, begun: datetime, ends: datetime, **more: object) -> Machine:
    fields = {
        "cloud": "aws",
        "instance_id": f"i-{number:017x}",
        "region": "eu-west-1",
        "reservation_id": None,
        "owner": owner,
        "profile": "small",
        "launched_at": begun,
        "lease_ends_at": ends,
        "cap_ends_at": ends + DAY,
    }
    return Machine(**(fields | more))  # type: ignore[arg-type]


LEASES = (
    machine(1, "alice", begun=NOW - HOUR, ends=NOW + 3 * HOUR),
    machine(2, "bob", begun=NOW - DAY, ends=NOW - HOUR),
    machine(3, "bob", begun=NOW - DAY, ends=NOW + 3 * DAY),
)

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)

LIVED = machines.Lived(
    (
        machine(1, "alice", begun=OCTOBER + DAY, ends=NOW, ended_at=OCTOBER + 3 * DAY),
        machine(2, "bob", begun=OCTOBER - DAY, ends=NOW, ended_at=OCTOBER + DAY),
        machine(3, "bob", begun=OCTOBER + 2 * DAY, ends=NOW, rested_seconds=3600, ended_at=OCTOBER + 3 * DAY),
    ),
    {("aws", f"i-{1:017x}"): "t3.small", ("aws", f"i-{2:017x}"): "t3.small"},
    PriceSettings(per_hour={"t3.small": 0.02}),
)

WAITING = (
    operations.Waiting("op-aaaa", f"promote {X64}", "alice", NOW + 3 * HOUR, ("bob", "dave")),
    operations.Waiting("op-bbbb", "cleanup", "schedule:weekly-cleanup", NOW + 2 * DAY, ("alice", "bob")),
)

ENDED = operations.Ended(
    {
        ("promote", OperationState.DONE): 7,
        ("promote", OperationState.EXPIRED): 1,
        ("launch", OperationState.DONE): 31,
        ("launch", OperationState.FAILED): 2,
        ("cleanup", OperationState.REJECTED): 1,
    },
    (
        operations.NotDone("op-cccc", "launch x86_64-43 --for 2h", OperationState.FAILED),
        operations.NotDone("op-dddd", f"promote {ARM}", OperationState.EXPIRED),
    ),
)


def wrong(*entries: Entry) -> problems.Wrong:
    return problems.Wrong(entries, "role:releng", opened=5, closed=4)


WRONG = wrong(
    entry(
        id="pb-3333", found=found(what=f"No new version of {RAWHIDE} for 4 days."), opened_at=NOW - 2 * DAY
    ),
    entry(id="pb-4444", found=found(owner="dave"), opened_at=NOW - 9 * DAY, acknowledged=acknowledged()),
)

LATE = entry(
    id="pb-5555",
    source="schedules",
    found=found(
        "skipped weekly-cleanup",
        what="The schedule weekly-cleanup did not run when it was due.",
        detail="Due at 2026-11-20 07:00 UTC. Slipway, or its machine, was not running then.",
    ),
)

CREDENTIALS = credentials.Credentials(
    6,
    (
        credentials.Ending("uploader-2024", NOW - DAY, "alice", "Alice", over=True),
        credentials.Ending("gallery-tls", NOW + 6 * DAY, "role:releng", "releng", over=False),
    ),
    {"aws-keys": "AWS refused iam:ListAccessKeys."},
)

OWN = general.Own(
    Backlog(
        {"matrix": 2}, 3, (), (Lost("k", "C0IMAGES of slack", "Slack was away for a week.", 3, NOW - HOUR),)
    ),
    ("matrix",),
)

HELD = standing.Held(
    (
        PlacedHold(
            "azure", X64, "43.20261111.0", "alice", "customers test it", NOW - DAY, NOW + 2 * DAY, "k"
        ),
        PlacedHold("azure", ARM, "", "bob", "the kernel is broken", NOW - DAY, None, "l"),
    )
)

ANNOUNCED = (
    Announcement("azure", ARM, "43.20260901.0", None, "candidates", NOW - DAY, NOW + 2 * DAY, "m"),
    Announcement("azure", ARM, "43.20260801.0", None, "candidates", NOW - 100 * DAY, NOW - 97 * DAY, "n"),
)

CANDIDATES = standing.Waiting(
    ("promote 43.20261118.0 of Fedora-Cloud-43-x64",),
    ("45.20261119.0 of Fedora-Cloud-Rawhide-x64 is not promoted: no verdict.",),
)


def timeline() -> Timeline:
    versions = [
        version(f"43.{NOW - age * DAY:%Y%m%d}.0", excluded=age < 3, published=NOW - age * DAY)
        for age in (2, 9, 16)
    ]
    return timeline_of(X64, versions, NOW, held=("43.20261111.0",))


MOVES = moved.Moves(
    (
        moved.Moved(moved.Move.PROMOTED, X64_REF, "43.20261111.0", NOW - 2 * DAY),
        moved.Moved(moved.Move.PROMOTED, ARM_REF, "43.20261111.0", NOW - DAY),
        moved.Moved(moved.Move.TAKEN_BACK, ARM_REF, "43.20261111.0", NOW - HOUR),
        moved.Moved(moved.Move.REMOVED, X64_REF, "43.20260801.0", NOW - HOUR),
    ),
    (timeline(),),
)


def part(name: str, title: str, section: Section | None) -> Part:
    assert section is not None
    return Part(name, title, section)
