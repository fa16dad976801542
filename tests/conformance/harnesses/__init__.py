"""The platforms of the suite: each module here says in ``HARNESSES`` under which names, and how, its own are made.

Of two that differ in the transport alone, ``OTHER_TRANSPORTS`` names the second."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType

from tests.conformance.harness import MakeHarness


def modules() -> Iterator[ModuleType]:
    """The modules of harnesses."""
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        yield importlib.import_module(found.name)


def harnesses() -> Mapping[str, MakeHarness]:
    """How each platform is made, by its name in the suite."""
    return {name: make for module in modules() for name, make in module.HARNESSES.items()}


def other_transports() -> frozenset[str]:
    """The names whose adapter is another's, which reaches people by another way; what it says and takes is the
    same."""
    found: set[str] = set()
    for module in modules():
        found.update(getattr(module, "OTHER_TRANSPORTS", ()))
    return frozenset(found)
