"""The platforms of the suite: each module here says in ``HARNESSES`` under which names, and how, its own are made."""

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
