"""SIGTERM, SIGINT and SIGHUP as an event to wait for; and an end without any waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_on_signals() -> asyncio.Event:
    """An event that the first SIGTERM, SIGINT or SIGHUP sets; the next one ends the process at once.

    A SIGHUP, as when the terminal's window is closed, stays without effect under nohup.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    ends = [each for each in _ENDS if signal.getsignal(each) is not signal.SIG_IGN]

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
