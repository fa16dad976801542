"""The quality tables: what is asked of each subject, cloud and chat, and what its ``quality.toml`` says of it."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from slipway.bot.declared import Declarations

ROOT = Path(__file__).parents[2]
FILE = "quality.toml"


class PartKind(StrEnum):
    """What sort of part a table is of."""

    SUBJECT = "subject"
    CLOUD = "cloud"
    CHAT = "chat"


RULES: Mapping[PartKind, Mapping[str, str]] = {
    PartKind.SUBJECT: {
        "planner-tests": "Planners are tested with every odd thing that a cloud may list",
        "stale-plans": "What changed since it was proposed makes a plan stale",
        "done-means-seen": "A change that cannot be seen is never called done",
        "failing-cloud": "A cloud that fails is told with whose move it is, and nothing is done by halves",
        "crash-tests": "Each kind of operation ends right, once, after a kill at any point",
        "long-harness": "Each kind of operation is asked for in the episodes of the long harness",
        "stored-formats": "What former versions stored is read as what it meant",
        "several-clouds": "It works in several clouds and accounts at once",
        "golden-cards": "Cards of its operations are agreed as golden files",
        "check-lines": "`slipway check` describes its settings",
        "doctor-probe": "`slipway doctor` tries what it needs",
        "home-section": "It has a section in App Home",
    },
    PartKind.CLOUD: {
        "errors-mapped": "Each of the SDK's errors becomes one sentence with whose move it is",
        "whole-listings": "A listing is whole, or an error",
        "done-once": "A change whose answer was lost is made once",
        "bounded-waits": "Each call has a timeout and a bounded number of attempts",
        "lazy-sdk": "The SDK is loaded at the first call",
        "several-accounts": "It works with several accounts at once",
        "doctor-probe": "`slipway doctor` tries the connection, and tells a refusal",
        "simulated": "A simulated cloud speaks its protocol, for tests and the demo",
        "least-rights": "The least rights stand in deploy/, and tests hold them to the calls",
        "docs-page": "docs/operating.md has a section on it",
        "real-service": "Tests run against the real service, or replay its recorded answers",
    },
    PartKind.CHAT: {
        "conformance": "The conformance suite runs on it",
        "said-once": "A message whose sending failed in any way is shown once",
        "offline-messages": "What is said while the bot is down is answered after its start",
        "size-limits": "Messages keep to the platform's limits, and nothing is lost by that",
        "rate-limits": "The platform's rate limits are kept",
        "bad-input": "Whatever the platform delivers, the adapter goes on, and nobody gets rights by it",
        "crash-tests": "Nothing is lost or said twice where the process is killed",
        "golden-cards": "Cards are agreed as golden files",
        "secrets-hidden": "No secret is logged, shown or kept",
        "doctor-probe": "`slipway doctor` tries the connection",
        "least-rights": "The rights that it needs on the platform are documented",
        "docs-page": "It has a page in docs/",
        "real-service": "Tests run against the real service, or replay its recorded answers",
    },
}
"""What is asked, by the sort of part. A new rule is added here, and then to each part's file."""


@dataclass(frozen=True)
class Status:
    """How a part stands to a rule: done, with the tests or pages that show it, or exempt for a reason."""

    done: bool
    evidence: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Part:
    """A declared subject, cloud or chat, and the folder of its package."""

    kind: PartKind
    name: str
    folder: Path
    declaration: Any

    @property
    def file(self) -> Path:
        """Its quality table."""
        return self.folder / FILE

    def statuses(self) -> dict[str, Status]:
        """How it stands to each rule that its file names.

        Raises:
            FileNotFoundError: it has no such file.
            ValueError: a status is neither done nor exempt with a reason.
        """
        document = tomllib.loads(self.file.read_text("utf-8"))
        return {rule: _status(f"{self.file}: {rule}", value) for rule, value in document.items()}


def _status(where: str, value: object) -> Status:
    match value:
        case "done":
            return Status(done=True)
        case {"done": [*evidence], **more} if evidence and not more:
            return Status(done=True, evidence=tuple(map(str, evidence)))
        case {"exempt": str(reason), **more} if reason and not more:
            return Status(done=False, reason=reason)
    raise ValueError(f'{where} must be "done", {{ done = ["tests/…"] }} or {{ exempt = "why" }}')


def parts(declarations: Declarations) -> tuple[Part, ...]:
    """Every part that has a table: all clouds and chats, and the subjects that have kinds of operation."""
    subjects = [subject for subject in declarations.registry.subjects if subject.kinds]
    return (
        *(_part(PartKind.SUBJECT, each.name, each.kinds[0].request, each) for each in subjects),
        *(_part(PartKind.CLOUD, each.name, each.settings, each) for each in declarations.clouds),
        *(_part(PartKind.CHAT, each.platform, each.settings, each) for each in declarations.chats),
    )


def _part(kind: PartKind, name: str, of_package: type, declaration: Any) -> Part:
    source = sys.modules[of_package.__module__].__file__
    assert source is not None
    return Part(kind, name, Path(source).resolve().parent, declaration)


def missing_evidence(evidence: str) -> str | None:
    """What is not there of ``tests/x.py``, ``tests/x.py::test_y`` or ``docs/x.md#heading``; None if all is."""
    where, heading, test = re.fullmatch(r"([^:#]+)(?:#(.+))?(?:::(\w+))?", evidence, re.ASCII).groups()  # type: ignore[union-attr]
    path = ROOT / where
    if not path.exists():
        return f"there is no {where}"
    text = path.read_text("utf-8") if path.is_file() else ""
    if test and not re.search(rf"\bdef {test}\(", text):
        return f"{where} has no {test}"
    titles = [title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    return f"{where} has no heading {heading}" if heading and heading not in titles else None
