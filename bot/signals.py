"""SIGTERM, SIGINT and SIGHUP as events to wait for; and an end without any waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

_ENDS = (signal.SIGTERM, signal.SIGINT)


def stop_on_signals(*, hangup: bool = True) -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; the next one ends the process at once.

    Args:
        hangup: whether a SIGHUP does the same, as when the terminal's window is closed. It stays without effect under
            nohup.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    wanted = (*_ENDS, signal.SIGHUP) if hangup else _ENDS
    ends = [each for each in wanted if signal.getsignal(each) is not signal.SIG_IGN]

    def told() -> None:
        stop.set()
        for each in ends:
            loop.remove_signal_handler(each)

    for each in ends:
        loop.add_signal_handler(each, told)
    return stop


def leave_at_once() -> None:
    """End the process now, with status 75: another one does its work, and nothing of this one's may follow."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(os.EX_TEMPFAIL)


def hangups() -> asyncio.Event:
    """An event that each SIGHUP sets, for whoever clears it."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)
    return told
