"""A timeline in words, for whoever sees no picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipway.bot.core.times import format_date
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.timeline.facts import Entry, Mark, Timeline

LONGEST = 1000
"""Characters, as many as a platform takes for a picture in words (Slack's ``alt_txt``)."""

_NAMED = 5
"""Versions that are named in a row; of more, the rest is counted."""


def in_words(timeline: Timeline) -> str:
    """What the picture shows, in a few sentences: which versions there are, since when, what each is, and where."""
    if not timeline.entries:
        return f"{timeline.definition} has no versions."
    told = f"{'. '.join(_sentences(timeline))}."
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"


def _sentences(timeline: Timeline) -> Iterator[str]:
    entries = timeline.entries
    count = "1 version" if len(entries) == 1 else f"{len(entries)} versions"
    yield f"Timeline of {timeline.definition}: {count}{_span(entries)}"
    if timeline.left_out:
        yield f"{timeline.left_out} older ones are not shown"
    latest = [each for each in entries if each.mark is Mark.LATEST]
    where = [f"{each.version} in {each.latest_in} of {timeline.regions} regions" for each in latest]
    yield f"Latest: {join_names(where, _NAMED)}" if where else "None is latest in any region"
    groups = {mark.value: [each for each in entries if each.mark is mark] for mark in Mark}
    del groups[Mark.LATEST.value]
    groups["held"] = [each for each in entries if each.held]
    groups["called bad"] = [each for each in entries if each.bad]
    groups["ended"] = [each for each in entries if each.ended]
    for word, some in groups.items():
        if some:
            yield f"{word.capitalize()}: {join_names([each.version for each in some], _NAMED)}"
    fewer = [each for each in entries if each.regions < timeline.regions]
    if fewer:
        counts = [f"{each.version} in {each.regions}" for each in fewer]
        yield f"Not in all {timeline.regions} regions: {join_names(counts, _NAMED)}"


def _span(entries: Sequence[Entry]) -> str:
    dates = sorted(each.published for each in entries if each.published is not None)
    if not dates:
        return ""
    first, last = format_date(dates[0]), format_date(dates[-1])
    return f", published {first}" if first == last else f", published {first} to {last}"
