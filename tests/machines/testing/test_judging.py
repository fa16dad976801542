"""What a boot test makes of what it saw: nothing that is not known is ever called passed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from slipway.bot.clouds.machine_model import HealthState
from slipway.bot.core.errors import CloudErrorKind
from slipway.bot.subjects.machines.testing.judging import (
    SURE,
    CameUp,
    CloudInit,
    DidNotComeUp,
    HostSeen,
    LoggedIn,
    LoginRefused,
    NoResult,
    NotReached,
    Seen,
    judged,
    judged_at_end,
)

EC2 = Seen(cloud="EC2")
WITH_KEY = replace(EC2, log_in=True)
PASSED, FAILED, UNKNOWN = HealthState.PASSED, HealthState.FAILED, HealthState.UNKNOWN
LOGINS = (None, LoginRefused("no"), NotReached("no route"), *map(LoggedIn, CloudInit))


def test_without_a_key_the_clouds_own_checks_decide() -> None:
    assert judged(EC2) is None
    assert judged(replace(EC2, health=PASSED)) == CameUp("EC2's own checks passed")


def test_checks_that_fail_settle_it_only_once_they_go_on_failing() -> None:
    failing = replace(EC2, health=FAILED, reason="reachability failed", failing=1)
    assert judged(failing) is None
    assert judged(replace(failing, failing=SURE)) == DidNotComeUp(
        "EC2's own checks of it fail", "reachability failed"
    )
    assert isinstance(judged_at_end(failing, "20m"), DidNotComeUp)


def test_with_a_key_somebody_has_to_be_able_to_log_in_and_cloud_init_to_be_done() -> None:
    well = replace(WITH_KEY, health=PASSED)
    assert judged(well) is None
    assert judged(replace(well, login=LoggedIn(CloudInit.RUNNING))) is None
    found = judged(replace(well, login=LoggedIn(CloudInit.DONE, "status: done")))
    assert found == CameUp(
        "EC2's own checks passed, SSH answers, cloud-init is done; its host key could not be verified",
        "status: done",
    )
    assert judged(replace(well, login=LoggedIn(CloudInit.ERROR, "status: error"))) == DidNotComeUp(
        "cloud-init failed", "status: error"
    )


def test_what_lets_the_bot_in_has_to_be_the_machine_where_its_console_tells() -> None:
    well = replace(WITH_KEY, health=PASSED, login=LoggedIn(CloudInit.DONE, host_key="SHA256:x"), consoles=2)
    assert judged(well) is None, "its console may show its keys yet"
    assert isinstance(judged(replace(well, consoles=0)), CameUp)
    assert isinstance(judged_at_end(well, "20m"), CameUp)
    same = judged(replace(well, host=HostSeen.SAME))
    assert isinstance(same, CameUp)
    assert same.summary.endswith("; its host key is the one on its console")
    for state in CloudInit:
        other = judged(replace(well, login=LoggedIn(state, host_key="SHA256:x"), host=HostSeen.OTHER))
        assert isinstance(other, NoResult)
        assert "shows the host key SHA256:x, and its host key is not among those" in other.sentence


def test_a_machine_that_keeps_the_key_out_to_the_end_did_not_come_up_and_one_that_is_not_reached_may_have() -> (
    None
):
    well = replace(WITH_KEY, health=PASSED)
    refused = replace(well, login=LoginRefused("Permission denied (publickey)."))
    assert judged(refused) is None  # cloud-init may put it in yet
    assert judged_at_end(refused, "20m") == DidNotComeUp(
        "nobody can log in with the key that was put in", "Permission denied (publickey)."
    )
    unreached = judged_at_end(replace(well, login=NotReached("Connection timed out")), "20m")
    assert unreached == NoResult(
        "SSH on it was not reached within 20m, which may be the network's fault: Connection timed out",
        CloudErrorKind.CONFIGURATION,
    )


def test_where_the_cloud_never_says_a_login_is_proof_enough_and_nothing_is_no_result() -> None:
    logged_in = replace(WITH_KEY, login=LoggedIn(CloudInit.DONE))
    assert judged(logged_in) is None
    assert isinstance(judged_at_end(logged_in, "20m"), CameUp)
    assert isinstance(judged(replace(logged_in, tells=False)), CameUp)
    assert judged_at_end(EC2, "20m") == NoResult(
        "EC2 did not say within 20m whether it came up.", CloudErrorKind.TIMED_OUT
    )
    silent = judged_at_end(replace(EC2, tells=False), "20m")
    assert isinstance(silent, NoResult)
    assert silent.kind is CloudErrorKind.CONFIGURATION


def test_one_that_is_ended_meanwhile_or_could_not_be_looked_at_has_no_result() -> None:
    ended = judged(replace(EC2, health=PASSED, gone="The cloud's words: spot"))
    assert isinstance(ended, NoResult)
    assert "The cloud's words: spot" in ended.sentence
    blind = judged_at_end(replace(EC2, trouble="EC2 answered nonsense."), "20m")
    assert isinstance(blind, NoResult)
    assert "EC2 answered nonsense." in blind.sentence


@pytest.mark.parametrize(("log_in", "tells"), list(product([True, False], repeat=2)))
def test_passed_is_said_only_where_something_passed_and_nothing_failed(log_in: bool, tells: bool) -> None:
    for health, login, failing in product(HealthState, LOGINS, (0, SURE)):
        seen = Seen("EC2", tells, health, "", failing if health is FAILED else 0, log_in, login)
        for result in (judged(seen), judged_at_end(seen, "20m")):
            if isinstance(result, CameUp):
                done = isinstance(login, LoggedIn) and login.cloud_init not in (
                    CloudInit.RUNNING,
                    CloudInit.ERROR,
                )
                assert done or not log_in
                assert health is PASSED or (log_in and done and health is UNKNOWN)
