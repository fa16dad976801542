"""All kinds of request and step, gathered: the one place to add a new kind to.

The unions are closed, so the type checker names every other place that a new kind concerns.
"""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from typing import Annotated, Any, assert_never

from pydantic import Field

from bot.errors import Mistake
from bot.images.requests import Cleanup, Promote, Rollback
from bot.images.steps import DeleteVersion, SetExcluded
from bot.instances.requests import Launch, Terminate
from bot.instances.steps import LaunchMachines, TerminateMachine
from bot.steps import Draft, Executor, Planner, Step, StepDone
from bot.times import format_duration

AnyRequest = Annotated[
    Promote | Rollback | Cleanup | Launch | Terminate, Field(discriminator="kind")
]
AnyStep = Annotated[
    SetExcluded | DeleteVersion | LaunchMachines | TerminateMachine, Field(discriminator="kind")
]
