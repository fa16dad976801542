"""The operations in which the bot is killed: every scenario of the modules here is gone through."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from tests.crash.scenario import Scenario


def scenarios() -> Mapping[str, type[Scenario]]:
    """Each scenario by its name: that of the kind of operation that it shows, and of the cloud beside the first."""
    modules = [
        importlib.import_module(found.name) for found in pkgutil.iter_modules(__path__, f"{__name__}.")
    ]
    return {
        found.name(): found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Scenario) and "kind" in vars(found)
    }
