"""What the log says of a platform that is away: once, rarely again, and when it is back."""

from __future__ import annotations

from datetime import timedelta

from structlog.testing import capture_logs

from slipway.bot.chat.shared.outage import LOG_EVERY, OutageLog
from tests.support.clock import FakeClock

AWAY = "Could not ask for what is new: matrix.example.org cannot be reached."


def test_an_outage_is_logged_once_and_rarely_again_and_so_is_its_end() -> None:
    clock = FakeClock()
    outage = OutageLog("matrix", clock)
    with capture_logs() as logged:
        outage.over()  # as after each answer
        for _ in range(int(LOG_EVERY.total_seconds()) // 5 + 1):
            outage.failed(AWAY, 5.0)
            clock.advance(timedelta(seconds=5))
        outage.failed("Could not ask for what is new: the connection was cut.", 5.0)
        outage.over()
        outage.over()
        outage.failed(AWAY, 5.0)
    assert [each["event"] for each in logged] == [
        *["a chat does not answer"] * 3,
        "a chat answers again",
        "a chat does not answer",
    ]
    assert [each.get("problem") for each in logged[:2]] == [AWAY, AWAY]
    assert logged[3]["away"] == LOG_EVERY.total_seconds() + 5
