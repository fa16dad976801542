"""A timeline as a PNG. This module loads matplotlib, so nobody imports it before the first picture is to be drawn.

One row a version, newest at the top: its mark at the day it was published, a line until its end of life, and at the
right in how many regions it is. Each mark has a shape and a colour of its own, of the eight that Okabe and Ito chose
to be told apart by the colour-blind (https://jfly.uni-koeln.de/color/), with a dark edge; the background is opaque,
so that it reads the same among light messages and dark ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slipway.bot.subjects.images.timeline.facts import Entry, Mark, Timeline

BACKGROUND, INK, FAINT = "#ffffff", "#1a1a1a", "#8a8a8a"

COLOURS: Mapping[Mark, str] = {
    Mark.LATEST: "#009e73",  # bluish green
    Mark.PROMOTED: "#56b4e9",  # sky blue
    Mark.CANDIDATE: "#f0e442",  # yellow
    Mark.ROLLED_BACK: "#cc79a7",  # reddish purple
    Mark.UNFIT: "#d55e00",  # vermillion
}
SHAPES: Mapping[Mark, str] = {
    Mark.LATEST: "*",
    Mark.PROMOTED: "o",
    Mark.CANDIDATE: "^",
    Mark.ROLLED_BACK: "v",
    Mark.UNFIT: "X",
}
SIZES: Mapping[Mark, float] = {Mark.LATEST: 15, Mark.UNFIT: 10}
HELD = "#0072b2"  # blue: a square around the mark
BARS = "#e69f00"  # orange: the regions

DPI = 100
_WIDTH, _ROW, _ABOVE, _BELOW = 9.0, 0.27, 0.55, 1.0  # inches
_LETTER = 0.073  # inches of one in a row's label
_LONGEST_LABEL = 30
_STYLE = {"font.family": "DejaVu Sans", "font.size": 9, "text.parse_math": False, "axes.unicode_minus": False}
"""The font is one that matplotlib brings along, so that every machine draws the same."""


@dataclass(frozen=True)
class Place:
    """Where the middle of a version's mark is in the picture, in pixels from its left and its top."""

    version: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """A picture, and where its marks are."""

    png: bytes
    places: tuple[Place, ...]


def draw(timeline: Timeline) -> Drawing:
    """Draw a timeline. Nothing of the process's own settings for matplotlib counts, and none of it changes.

    Not for two threads at once: matplotlib's settings are the process's.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        return _draw(timeline)


def _draw(timeline: Timeline) -> Drawing:
    entries = timeline.entries
    labels = [_label(each.version) for each in entries]
    height = _ABOVE + _BELOW + _ROW * max(len(entries), 1)
    figure = Figure(figsize=(_WIDTH, height), dpi=DPI, facecolor=BACKGROUND)
    canvas = FigureCanvasAgg(figure)
    left = (0.25 + _LETTER * max(map(len, labels), default=0)) / _WIDTH
    bottom, top = _BELOW / height, 1 - _ABOVE / height
    dates = figure.add_axes((left, bottom, 0.82 - left, top - bottom))
    regions = figure.add_axes((0.84, bottom, 0.1, top - bottom), sharey=dates)
    first, last = _span(timeline)
    rows = range(len(entries))
    _draw_dates(dates, timeline, first, last)
    dates.set_yticks(rows, labels=labels)
    dates.set_ylim(len(entries) - 0.4 if entries else 0.5, -0.6)
    _draw_regions(regions, timeline)
    left_out = f", {timeline.left_out} older not shown" if timeline.left_out else ""
    title = f"{timeline.definition}{left_out}"
    figure.text(0.02, 1 - 0.3 / height, title, color=INK, size=11, weight="bold", va="center")
    figure.legend(
        handles=_legend(timeline), loc="lower center", bbox_to_anchor=(0.5, 0.0), ncols=7, frameon=False,
        fontsize=8, handletextpad=0.3, columnspacing=1.2,
    )  # fmt: skip
    file = BytesIO()
    canvas.print_png(file)
    points = [(date2num(_day(each, first)), row) for row, each in enumerate(entries)]
    pixels = dates.transData.transform(points) if points else ()
    places = tuple(
        Place(each.version, float(x), float(figure.bbox.height - y))
        for each, (x, y) in zip(entries, pixels, strict=True)
    )
    return Drawing(file.getvalue(), places)


def _draw_dates(axes: Axes, timeline: Timeline, first: datetime, last: datetime) -> None:
    """The versions by date: lines until their ends of life, then the marks."""
    axes.set_facecolor(BACKGROUND)
    axes.set_xlim(date2num(first), date2num(last))
    locator = AutoDateLocator(maxticks=8, tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.tick_params(colors=INK, length=0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.axvline(date2num(timeline.now), color=FAINT, linewidth=0.8, linestyle=":")
    # Few calls, each for all rows: one a row takes twice as long.
    shown = [(row, each, date2num(_day(each, first))) for row, each in enumerate(timeline.entries)]
    until = [date2num(min(each.ends, last) if each.ends is not None else last) for each in timeline.entries]
    lives = [(row, begin, end) for (row, _, begin), end in zip(shown, until, strict=True) if end > begin]
    if lives:
        axes.hlines(*zip(*lives, strict=True), color="#bbbbbb", linewidth=1.4, zorder=1)
    ends = [(date2num(each.ends), row) for row, each, _ in shown if each.ended and each.ends is not None]
    holds = [(begin, row) for row, each, begin in shown if each.held]
    bad = [(begin, row) for row, each, begin in shown if each.bad]
    marks = [(_mark(mark), [(at, row) for row, each, at in shown if each.mark is mark]) for mark in Mark]
    for layer, (style, points) in enumerate(((_END, ends), (_BAD, bad), *marks, (_HOLD, holds)), start=2):
        if points:
            axes.plot(*zip(*points, strict=True), **style, zorder=layer)
    for row, each, begin in shown:
        if each.published is None:
            at = {"xytext": (10, 0), "textcoords": "offset points"}
            axes.annotate("no date", (begin, row), **at, va="center", color=INK, size=7)


def _draw_regions(axes: Axes, timeline: Timeline) -> None:
    """In how many regions each is, as a bar and as a number."""
    axes.set_axis_off()
    axes.set_xlim(0, max(timeline.regions, 1) * 1.5)
    counts = [each.regions for each in timeline.entries]
    bars = axes.barh(range(len(counts)), counts, height=0.5, color=BARS, edgecolor=INK, linewidth=0.6)
    axes.bar_label(bars, labels=[str(count) for count in counts], padding=3, color=INK, size=8)
    axes.text(0, -0.75, f"regions, of {timeline.regions}", va="bottom", color=INK, size=8)


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "marker": SHAPES[mark],
        "markersize": SIZES.get(mark, 9),
        "markerfacecolor": COLOURS[mark],
        "markeredgecolor": INK,
        "markeredgewidth": 0.9,
        "linestyle": "none",
    }


_HOLD: dict[str, Any] = {
    "marker": "s",
    "markersize": 17,
    "markerfacecolor": "none",
    "markeredgecolor": HELD,
    "markeredgewidth": 2.2,
    "linestyle": "none",
}
_BAD: dict[str, Any] = {
    "marker": "x",
    "markersize": 20,  # its arms stand out from below the mark
    "markeredgecolor": INK,
    "markeredgewidth": 2.0,
    "linestyle": "none",
}
_END: dict[str, Any] = {
    "marker": "|",
    "markersize": 12,
    "markeredgecolor": INK,
    "markeredgewidth": 2.0,
    "linestyle": "none",
}


def _legend(timeline: Timeline) -> Sequence[Line2D]:
    """What stands in the picture, in words."""
    present = {each.mark for each in timeline.entries}
    found = [_handle(mark.value, _mark(mark)) for mark in Mark if mark in present]
    if any(each.held for each in timeline.entries):
        found.append(_handle("held", {**_HOLD, "markersize": 10}))
    if any(each.bad for each in timeline.entries):
        found.append(_handle("called bad", {**_BAD, "markersize": 8}))
    if any(each.ended for each in timeline.entries):
        found.append(_handle("ended", _END))
    return found


def _handle(label: str, style: dict[str, Any]) -> Line2D:
    return Line2D([], [], label=label, **style)


def _label(version: str) -> str:
    """A version's number; of a very long one, its beginning and its end."""
    half = _LONGEST_LABEL // 2
    return version if len(version) <= _LONGEST_LABEL else f"{version[:half]}…{version[-half + 1 :]}"


def _span(timeline: Timeline) -> tuple[datetime, datetime]:
    """From when to when it goes: from the first version until a little after now."""
    dates = [each.published for each in timeline.entries if each.published is not None]
    begin = min((*dates, timeline.now)).astimezone(UTC)
    end = max((*dates, timeline.now)).astimezone(UTC)
    room = max((end - begin) * 0.04, timedelta(hours=12))
    return begin - room, end + room


def _day(entry: Entry, first: datetime) -> datetime:
    """Where it stands; what has no date stands at the beginning."""
    return first + timedelta(hours=6) if entry.published is None else entry.published
