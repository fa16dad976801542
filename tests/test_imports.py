"""Who may import which library. import-linter checks the imports between Slipway's own packages; its contracts have
to name a library, so a library that only a newcomer imports is checked here.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

import slipway
from tests.support.processes.program import environment

EVERYWHERE = {"pydantic", "structlog"}
"""Libraries that any module may import."""

OWNERS = {
    "aiosqlite": ("bot/store",),
    "alembic": ("bot/store",),
    "aiohttp": (
        "bot/chat",
        "bot/clouds",
        "bot/subjects/images/contents/fetching.py",
        "bot/subjects/machines/keys",
        "bot/web/listener.py",
    ),
    "apscheduler": ("scheduler",),
    "cryptography": (
        "bot/chat/matrix",
        "bot/clouds/azure/machines/nobodys_key.py",
        "bot/core/totp.py",
        "bot/subjects/credentials/certificates.py",
        "bot/subjects/machines/testing/private_key.py",
    ),
    "click": ("bot/cli", "bot/core/commands.py", "bot/clouds/simulated", "commands"),
    "dbos": ("bot/workflows",),
    "matplotlib": ("bot/subjects/images/timeline/drawing.py",),
    "prometheus_client": ("bot/web/metrics/prometheus.py",),
    "psycopg": ("bot/replicas", "bot/store", "bot/workflows/stores.py"),
    "pydantic_core": ("bot/config",),
    "segno": ("bot/cli/totp.py",),
    "rich": ("bot/chat/console", "bot/chat/shared"),
    "sqlalchemy": (
        "bot/cli/audit.py",
        "bot/operations/audit.py",
        "bot/operations/freezing/store.py",
        "bot/operations/locking/store.py",
        "bot/operations/persistence/ballots.py",
        "bot/operations/persistence/changes.py",
        "bot/operations/persistence/ended.py",
        "bot/messages/outbox.py",
        "bot/replicas",
        "bot/problems/store.py",
        "bot/operations/progress.py",
        "bot/operations/persistence/proposals.py",
        "bot/operations/persistence/repository.py",
        "bot/operations/persistence/rows.py",
        "bot/operations/persistence/search.py",
        "bot/operations/persistence/under_way.py",
        "bot/operations/trail",
        "bot/operations/runs/runner.py",
        "bot/operations/standing.py",
        "bot/operations/emergency/store.py",
        "bot/operations/step_up/store.py",
        "bot/store",
        "bot/subjects/images/evidence/store.py",
        "bot/subjects/images/announcing/store.py",
        "bot/subjects/images/adopting/store.py",
        "bot/subjects/images/holds/store.py",
        "bot/subjects/images/replication/waits.py",
        "bot/subjects/machines/leases/repository.py",
        "bot/subjects/machines/keys/repository.py",
        "bot/subjects/schedules/store.py",
        "bot/workflows",
    ),
    "typing_extensions": ("bot/clouds", "bot/core"),
}
"""The folders and modules that may import a library; one that is not here belongs to the one adapter that has it."""

PACKAGE = Path(slipway.__file__).parent
"""Where the sources are, in a checkout and in an unpacked sdist, which has no folder bot at its top."""

FOLDERS = ("bot", "commands", "scheduler")
ADAPTERS = ("bot/chat", "bot/clouds")
NEUTRAL = {"bot/chat/shared", "bot/clouds/ports"}


@cache
def imported(source: str) -> frozenset[str]:
    """The libraries that a module imports, wherever in it: those of Python and Slipway's own left out."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(module=str() as name, level=0):
                names = [name]
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str() as name), *_],
            ):
                names = [name]
            case _:
                continue
        for name in names:
            library = name.partition(".")[0]
            if library not in sys.stdlib_module_names and library != "slipway":
                found.add(library)
    return frozenset(found)


def adapter_of(path: str) -> str | None:
    """The adapter to which a module belongs: a package in one of their folders; None for any other module."""
    parts = path.split("/")
    folder, package = "/".join(parts[:2]), "/".join(parts[:3])
    return package if folder in ADAPTERS and len(parts) > 3 and package not in NEUTRAL else None


def mistakes(sources: Mapping[str, str]) -> list[str]:
    """What is wrong with the imports of modules, a sentence each; sources by their paths from the top."""
    users: dict[str, set[str]] = defaultdict(set)
    for path, source in sources.items():
        for library in imported(source):
            users[library].add(path)
    found = []
    for library, paths in sorted(users.items()):
        if library in EVERYWHERE:
            continue
        if (owners := OWNERS.get(library)) is not None:
            found += [
                f"{path} imports {library}, which only {', '.join(owners)} may: call what they offer instead, "
                "or let OWNERS in tests/test_imports.py name it too."
                for path in sorted(paths)
                if not any(f"{path}/".startswith(f"{owner}/") for owner in owners)
            ]
            continue
        adapters = sorted({adapter for path in paths if (adapter := adapter_of(path)) is not None})
        found += [
            f"{path} imports {library}, and only an adapter (a package in {' or '.join(ADAPTERS)}) may import a "
            f"library that OWNERS in tests/test_imports.py does not name: put what needs it behind a port."
            for path in sorted(paths)
            if adapter_of(path) is None
        ]
        if len(adapters) > 1:
            found.append(
                f"{' and '.join(adapters)} both import {library}, and a library belongs to one adapter: keep it in "
                "one of them, or let OWNERS in tests/test_imports.py name both."
            )
    return found


@cache
def our_sources() -> dict[str, str]:
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8")
        for folder in FOLDERS
        for path in (PACKAGE / folder).rglob("*.py")
    }


def test_every_library_is_imported_by_those_to_whom_it_belongs() -> None:
    assert {path.split("/")[0] for path in our_sources()} == set(FOLDERS)
    assert not mistakes(our_sources())


def test_every_line_of_the_table_is_needed() -> None:
    """An owner that imports a library no more is taken out, so that nobody begins to by mistake."""
    sources = our_sources()
    used = {(library, path) for path, source in sources.items() for library in imported(source)}
    idle = [
        f"{library}: {owner}"
        for library, owners in OWNERS.items()
        for owner in owners
        if not any(library == name and f"{path}/".startswith(f"{owner}/") for name, path in used)
    ]
    assert not idle
    assert {library for library, _ in used} >= EVERYWHERE


@pytest.mark.parametrize(
    "path", ["bot/chat/irc/transport/a.py", "bot/clouds/gcp/a.py", "bot/clouds/gcp/__init__.py"]
)
@pytest.mark.parametrize("line", ["import google.cloud", "def f():\n    from google.cloud import compute"])
def test_a_new_adapter_may_bring_a_library_of_its_own(path: str, line: str) -> None:
    assert mistakes(our_sources() | {path: line, path.replace("a.py", "b.py"): line}) == []


def test_two_adapters_do_not_share_a_library_unawares() -> None:
    new = {"bot/chat/irc/a.py": "import google.auth", "bot/clouds/gcp/a.py": "import google.cloud"}
    (mistake,) = mistakes(our_sources() | new)
    assert mistake == (
        "bot/chat/irc and bot/clouds/gcp both import google, and a library belongs to one adapter: keep it in one "
        "of them, or let OWNERS in tests/test_imports.py name both."
    )


@pytest.mark.parametrize(
    "path",
    [
        "bot/app.py",
        "bot/chat/forms.py",
        "bot/chat/shared/a.py",
        "bot/cli/a.py",
        "bot/clouds/model.py",
        "bot/clouds/ports/a.py",
        "bot/config/a.py",
        "bot/core/a.py",
        "bot/operations/a.py",
        "bot/store/a.py",
        "bot/subjects/leases/a.py",
        "commands/leases/a.py",
        "commands/stray.py",
        "scheduler/a.py",
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        "import kubernetes_asyncio",
        "from kubernetes_asyncio import client",
        "if TYPE_CHECKING:\n    import kubernetes_asyncio.client",
        "importlib.import_module('kubernetes_asyncio')",
        "import_module('kubernetes_asyncio.client')",
    ],
)
def test_nobody_else_may_bring_a_library(path: str, line: str) -> None:
    (mistake,) = mistakes(our_sources() | {path: line})
    assert mistake.startswith(
        f"{path} imports kubernetes_asyncio, and only an adapter (a package in bot/chat or "
    )


@pytest.mark.parametrize(
    ("path", "library"),
    [
        ("bot/chat/irc/a.py", "sqlalchemy"),
        ("bot/clouds/gcp/a.py", "sqlalchemy"),
        ("bot/subjects/leases/a.py", "sqlalchemy"),
        ("bot/operations/approval_service.py", "sqlalchemy"),
        ("commands/leases/a.py", "sqlalchemy"),
        ("commands/leases/a.py", "aiohttp"),
        ("bot/chat/irc/a.py", "rich"),
        ("bot/clouds/gcp/a.py", "dbos"),
        ("bot/store_of_others.py", "alembic"),
        ("bot/subjects/leases/a.py", "click"),
    ],
)
def test_a_library_with_owners_is_theirs(path: str, library: str) -> None:
    (mistake,) = mistakes(our_sources() | {path: f"from {library} import anything"})
    assert mistake.startswith(f"{path} imports {library}, which only ")


@pytest.mark.parametrize("path", ["bot/clouds/gcp/a.py", "bot/subjects/leases/a.py"])
@pytest.mark.parametrize("library", ["boto3", "azure", "nio", "slack_sdk"])
def test_the_library_of_one_adapter_is_no_other_s(path: str, library: str) -> None:
    (mistake,) = mistakes(our_sources() | {path: f"import {library}"})
    assert library in mistake
    assert path.rpartition("/")[0] in mistake


WATCHED_IMPORTS = """
import sys
from slipway.__main__ import main
from slipway.bot.core.loading import LIBRARY_IMPORT

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("boto3", "azure.core", "matplotlib", "requests", "urllib3.contrib.pyopenssl"):
            print(name, "alone" if LIBRARY_IMPORT.locked() else "beside others", file=sys.stderr)

sys.meta_path.insert(0, Watch())
sys.argv[1:] = ["demo"]
main()
"""
"""Says of each library whose import sets or restores warning filters whether it was imported with the lock held."""


@pytest.mark.timeout(600)  # it imports all that there is, however long a busy machine takes
def test_no_two_libraries_are_imported_at_once_so_that_no_stray_warning_is_shown() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED_IMPORTS],
        input="!instances\n!images\n",
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert ended.returncode == 0
    assert sorted(ended.stderr.splitlines()) == [
        "azure.core alone",
        "boto3 alone",
        "requests alone",
        "urllib3.contrib.pyopenssl alone",
    ]
