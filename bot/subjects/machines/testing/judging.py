"""What a boot test makes of what it saw. Pure.

A machine came up where everything that is asked of it is seen: its cloud's own checks passed and, where somebody has
to log in, somebody could, and cloud-init was done. It did not where its cloud's checks fail for good, where it does
not let the test's key in, or where cloud-init failed. Whatever else is seen is no result, and never a good one: a
network that lets nothing through says nothing about an image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from slipway.bot.clouds.machine_model import HealthState
from slipway.bot.core.errors import CloudErrorKind

PATIENT = 4
"""So many more looks a machine that came up is given to show its host keys on its console: EC2 shows what was written
there some minutes late."""

SURE = 12
"""So many looks in a row at which the cloud's checks fail settle that they do; before, a slow start may pass them."""


class CloudInit(StrEnum):
    """How far cloud-init is in a machine. Source: cloud-init's documentation, “cloud-init status”."""

    RUNNING = "running"  # or not begun
    DONE = "done"
    DEGRADED = "done with recoverable errors"
    ERROR = "error"
    ABSENT = "not in the image"  # or disabled


@dataclass(frozen=True)
class LoggedIn:
    """Somebody could log in; what cloud-init says there, ``detail`` in its own words. ``host_key`` is the fingerprint
    of the key by which the machine showed itself, empty where it is not known."""

    cloud_init: CloudInit
    detail: str = ""
    host_key: str = ""


class HostSeen(StrEnum):
    """Whether what let somebody log in is the machine, by the keys that it writes to its console."""

    UNKNOWN = "its host key could not be verified"  # its console does not show any, or not yet
    SAME = "its host key is the one on its console"
    OTHER = "its host key is not among those on its console"


@dataclass(frozen=True)
class LoginRefused:
    """The machine answers, and lets the key not in; ``words`` are SSH's own."""

    words: str


@dataclass(frozen=True)
class NotReached:
    """Nothing answers as SSH does; ``words`` are SSH's own."""

    words: str


Login = LoggedIn | LoginRefused | NotReached


@dataclass(frozen=True)
class Seen:
    """What one look showed, with what is remembered of those before.

    Attributes:
        cloud: how to call the cloud.
        tells: whether it looks at all whether machines came up.
        health: what its checks say, ``reason`` why they failed.
        failing: at how many looks in a row they failed.
        log_in: whether somebody has to be able to.
        login: what became of that; None where it was not tried yet.
        host: whether that was the machine.
        consoles: how many more looks at its console there may be; none where its cloud shows no consoles.
        gone: why the machine is gone; None while it is there.
        trouble: why it could not be looked at; empty where it could.
    """

    cloud: str
    tells: bool = True
    health: HealthState = HealthState.UNKNOWN
    reason: str = ""
    failing: int = 0
    log_in: bool = False
    login: Login | None = None
    host: HostSeen = HostSeen.UNKNOWN
    consoles: int = 0
    gone: str | None = None
    trouble: str = ""


@dataclass(frozen=True)
class CameUp:
    """It came up; by what, in a few words, and more of it."""

    summary: str
    detail: str = ""


@dataclass(frozen=True)
class DidNotComeUp:
    """It did not come up; how that shows, in a few words, and more of it, such as the cloud's own words."""

    summary: str
    detail: str = ""


@dataclass(frozen=True)
class NoResult:
    """Neither is known, and why, as a sentence; ``kind`` says whose move it is."""

    sentence: str
    kind: CloudErrorKind = CloudErrorKind.UNVERIFIED


Result = CameUp | DidNotComeUp | NoResult


def judged(seen: Seen) -> Result | None:
    """What is certain after a look; None where it is to be looked again."""
    if seen.gone is not None:
        return NoResult(f"The machine was ended before it was known whether it comes up. {seen.gone}".strip())
    if seen.failing >= SURE:
        return _unhealthy(seen)
    if isinstance(seen.login, LoggedIn) and seen.host is HostSeen.OTHER:
        return _other_machine(seen.login)
    if isinstance(seen.login, LoggedIn) and seen.login.cloud_init is CloudInit.ERROR:
        return DidNotComeUp("cloud-init failed", seen.login.detail)
    if seen.host is HostSeen.UNKNOWN and seen.consoles and _finished(seen):
        return None
    if seen.health is HealthState.PASSED and _logged_in(seen):
        return CameUp(_by_what(seen), _detail(seen))
    unsaid = not seen.tells and seen.health is HealthState.UNKNOWN
    if unsaid and seen.log_in and _logged_in(seen):
        return CameUp(_by_what(seen), _detail(seen))
    return None


def judged_at_end(seen: Seen, waited: str) -> Result:
    """What is said once no time is left. ``waited`` is how long that was, in words."""
    decided = judged(replace(seen, consoles=0))
    if decided is not None:
        return decided
    if seen.health is HealthState.FAILED:
        return _unhealthy(seen)
    if isinstance(seen.login, LoginRefused):
        return DidNotComeUp("nobody can log in with the key that was put in", seen.login.words)
    if seen.log_in and _logged_in(seen):
        return CameUp(_by_what(seen), _detail(seen))
    if isinstance(seen.login, NotReached):
        return NoResult(
            f"SSH on it was not reached within {waited}, which may be the network's fault: {seen.login.words}",
            CloudErrorKind.CONFIGURATION,
        )
    if isinstance(seen.login, LoggedIn):
        return NoResult(f"cloud-init was not done within {waited}.", CloudErrorKind.TIMED_OUT)
    if seen.trouble:
        return NoResult(
            f"It could not be looked at to the end of {waited}: {seen.trouble}", CloudErrorKind.BROKEN
        )
    if not seen.tells:
        return NoResult(
            f"{seen.cloud} does not tell whether a machine came up, and there is no key to log in with.",
            CloudErrorKind.CONFIGURATION,
        )
    return NoResult(f"{seen.cloud} did not say within {waited} whether it came up.", CloudErrorKind.TIMED_OUT)


def _unhealthy(seen: Seen) -> DidNotComeUp:
    return DidNotComeUp(f"{seen.cloud}'s own checks of it fail", seen.reason)


def _other_machine(login: LoggedIn) -> NoResult:
    return NoResult(
        f"What answered at its address shows the host key {login.host_key}, and {HostSeen.OTHER}: it is another "
        "machine.",
        CloudErrorKind.CONFIGURATION,
    )


def _logged_in(seen: Seen) -> bool:
    """Whether all is seen that a login is to show."""
    return _finished(seen) if seen.log_in else True


def _finished(seen: Seen) -> bool:
    """Whether somebody could log in, and cloud-init had come to its end."""
    finished = (CloudInit.DONE, CloudInit.DEGRADED, CloudInit.ABSENT)
    return isinstance(seen.login, LoggedIn) and seen.login.cloud_init in finished


def _by_what(seen: Seen) -> str:
    passed = seen.health is HealthState.PASSED
    checks = f"{seen.cloud}'s own checks passed" if passed else f"{seen.cloud}'s own checks do not say"
    if not isinstance(seen.login, LoggedIn):
        return checks
    return f"{checks}, SSH answers, cloud-init is {seen.login.cloud_init}; {seen.host}"


def _detail(seen: Seen) -> str:
    return seen.login.detail if isinstance(seen.login, LoggedIn) else ""
