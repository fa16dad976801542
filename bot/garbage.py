"""Python's collector of reference cycles, set for a program that holds much and lives long."""

from __future__ import annotations

import gc

_YOUNG = 50_000
"""Containers made since the last look at the young ones, until the next. With Python's own 700, planning over ten
thousand versions, all of which are held at once, walks over all that the libraries keep again and again: a tenth of
its time. What 50,000 forgotten containers hold up is some megabytes."""


def collect_seldom() -> None:
    """Look for cycles less often. To be called once, by the program; what is no cycle is let go of at once anyway."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


SETTLED_SECONDS = 10.0
"""After a start, until nearly all is there that stays for good."""


def keep_for_good() -> None:
    """Never again walk over what is there now, as it stays. To be called once, by the program, when it has started.

    One look at all that libraries keep takes some 40 ms, in which nobody is answered: much of what an idle bot takes.
    """
    gc.collect()
    gc.freeze()
