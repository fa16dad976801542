"""What people ask of boot tests. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from typing import Literal

from slipway.bot.core.model import Model
from slipway.bot.core.steps import Request
from slipway.bot.subjects.machines.requests import LaunchPin


class TestPin(Model):
    """One test, as it was resolved. ``launch`` says by what it runs; of its moments none counts, for a test has its
    time from its own start. ``definition`` and ``version`` are empty where the image is in no gallery."""

    __test__ = False  # pytest: it is no test

    launch: LaunchPin
    definition: str = ""
    version: str = ""


class BootTest(Request):
    """Boot-test what ``image`` names, or the newest candidate of each definition of which no result is known.

    ``pins`` are the tests that were found when it was planned first.
    """

    kind: Literal["test"] = "test"
    image: str = ""
    due: bool = False
    requester: str
    pins: tuple[TestPin, ...] | None = None
