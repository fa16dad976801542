"""Requests to EC2 keep to its buckets of tokens, and what is refused all the same holds up all that ask for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.pacing import RATES, Bucket, Pace, Rate
from slipway.bot.clouds.aws.responses import Response, read_list
from slipway.bot.clouds.simulated.aws.throttles import Throttles, limits
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.throttling import Patience
from slipway.bot.core.turns import Turn, told_of_turns
from tests.support.aws import aws_settings, logged_actions, simulated_aws
from tests.support.clock import FakeClock
from tests.support.clouds import cloud_context


class Time:
    """Time that passes by being slept, for the throttle and the adapter alike."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._began = self.clock()

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def seconds(self) -> float:
        return (self.clock() - self._began).total_seconds()

    @property
    def pace(self) -> Pace:
        return Pace(patience=Patience(sleep=self.sleep, jitter=lambda: 0.0), clock=self.seconds)


async def test_five_hundred_of_each_change_are_never_refused_and_take_hardly_longer_than_they_must() -> None:
    for action, rate in RATES.items():
        time = Time()
        time.clock.advance(timedelta(seconds=0.7))  # nobody knows when EC2's seconds begin
        time._began = time.clock()
        name = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in action).lstrip("_")
        ec2, lane = Throttles(time.clock), time.pace.lane("EC2", "ec2", name)
        for _ in range(500):
            await lane.enter()
            assert ec2.takes("us-east-1", {"Action": action, "MaxResults": "5"}), action
        assert time.seconds() <= 1.05 * (500 - rate.size) / rate.refill, action
        assert (rate.size, rate.refill) == limits(action, {"MaxResults": "5"})


@given(
    size=st.integers(1, 100),
    refill=st.sampled_from([0.5, 1.0, 5.0, 20.0]),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.9, 3.0, 40.0]), min_size=1, max_size=200),
    phase=st.floats(0, 0.999),
)
def test_however_requests_come_a_token_is_there_for_each(
    size: int, refill: float, pauses: list[float], phase: float
) -> None:
    """Beside a bucket that is filled in steps of a second, wherever these begin."""
    if size <= refill:
        size += int(refill) + 1
    bucket, now, sent = Bucket(Rate(size, refill)), 0.0, []
    for pause in pauses:
        now += pause
        now = max(now, bucket.take(now))
        sent.append(now)
    tokens, second = float(size), int(phase)
    for at in sent:
        tokens = min(float(size), tokens + refill * (int(at + phase) - second))
        second = int(at + phase)
        tokens -= 1
        assert tokens > -1e-6


def test_what_was_sent_without_a_turn_and_a_refusal_are_waited_out() -> None:
    bucket = Bucket(Rate(10, 5))
    bucket.owe(5, 0.0)
    assert bucket.take(0.0) == pytest.approx(0.2)
    bucket.empty(1.0)
    assert bucket.take(1.0) >= 2.0


async def test_one_refusal_makes_all_wait_that_ask_for_the_same_and_nobody_else() -> None:
    def ids(answer: Response) -> int:
        return len(read_list(answer, "Images"))

    time, told = Time(), list[Turn | None]()
    async with simulated_aws() as aws:
        settings = aws_settings(aws.url, max_attempts=3)
        account = AwsAccount(settings, cloud_context("aws"), pace=time.pace)
        aws.faults.add(Fault(kind=FaultKind.THROTTLE, match="DescribeImages", times=2))
        calls, request = account.calls("us-east-1"), account.request("list images")

        async def ask() -> int:
            return await calls.call(request, "describe_images", ids, Owners=["125523088429"])

        with told_of_turns(told.append):
            first = await ask()
        assert first
        assert logged_actions(aws) == [("DescribeImages", 503)] * 2 + [("DescribeImages", 200)]
        assert time.seconds() >= 2  # a second after each, until EC2 has added a token
        waited = time.seconds()
        await asyncio.gather(*(ask() for _ in range(20)))
        await calls.call(request, "describe_launch_templates", lambda _: None)
        assert time.seconds() - waited <= 1
        account.close()
