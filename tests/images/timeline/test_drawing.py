"""The picture itself, decoded: its size, and which marks stand where, by their colours."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from slipway.bot.chat.pictures import Picture
from slipway.bot.clouds.model import VersionState
from slipway.bot.subjects.images.timeline import drawing
from slipway.bot.subjects.images.timeline.drawing import COLOURS, Drawing, draw
from slipway.bot.subjects.images.timeline.facts import Mark, Timeline, timeline_of
from tests.images.builders import candidates, promoted, version
from tests.support.azure import X64
from tests.support.clock import NOW

DAY = timedelta(days=1)

Pixel = tuple[int, int, int]


class Pixels:
    """A decoded picture."""

    def __init__(self, png: bytes) -> None:
        from matplotlib.image import imread

        found: Any = imread(BytesIO(png), format="png")
        self.rows: list[list[Pixel]] = [
            [(round(r * 255), round(g * 255), round(b * 255)) for r, g, b, *_ in row]
            for row in found.tolist()
        ]

    def __getitem__(self, at: tuple[float, float]) -> Pixel:
        x, y = at
        return self.rows[round(y)][round(x)]

    def patches(self, colour: Pixel) -> int:
        """How many areas of just this colour there are, of some size."""
        left = {(x, y) for y, row in enumerate(self.rows) for x, each in enumerate(row) if each == colour}
        found = 0
        while left:
            edge, size = [left.pop()], 0
            while edge:
                x, y = edge.pop()
                size += 1
                for near in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                    if near in left:
                        left.remove(near)
                        edge.append(near)
            found += size > 8
        return found


def pixel(colour: str) -> Pixel:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in pixel(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    versions = (
        version("43.6.0", published=NOW - 2 * DAY, regions=("eastus",)),
        version("43.5.0", published=NOW - 4 * DAY),
        version("43.4.0", published=NOW - 7 * DAY),
        version("43.3.0", published=NOW - 9 * DAY, state=VersionState.FAILED),
        promoted("43.2.0", published=NOW - 14 * DAY),
        promoted("43.1.0", published=NOW - 30 * DAY, ends=NOW - 10 * DAY),
    )
    return timeline_of(X64, versions, NOW, rolled_back={"43.4.0"}, held={"43.6.0"})


@pytest.fixture(scope="module")
def drawn(timeline: Timeline) -> Drawing:
    return draw(timeline)


@pytest.fixture(scope="module")
def pixels(drawn: Drawing) -> Pixels:
    return Pixels(drawn.png)


def test_every_version_has_its_mark_at_its_place(timeline: Timeline, drawn: Drawing, pixels: Pixels) -> None:
    assert [place.version for place in drawn.places] == [each.version for each in timeline.entries]
    for entry, place in zip(timeline.entries, drawn.places, strict=True):
        assert pixels[place.x, place.y] == pixel(COLOURS[entry.mark]), entry
    assert [place.x for place in drawn.places] == sorted((each.x for each in drawn.places), reverse=True)
    assert [place.y for place in drawn.places] == sorted(each.y for each in drawn.places)
    (first, *_, last), days = drawn.places, 28
    for entry, place in zip(timeline.entries, drawn.places, strict=True):
        assert entry.published is not None
        expected = first.x - (first.x - last.x) * ((NOW - 2 * DAY - entry.published) / DAY) / days
        assert place.x == pytest.approx(expected, abs=1)


def test_there_are_as_many_marks_of_each_colour_as_versions_and_one_in_the_legend(
    timeline: Timeline, pixels: Pixels
) -> None:
    counted = Counter(each.mark for each in timeline.entries)
    assert {mark: pixels.patches(pixel(COLOURS[mark])) for mark in Mark} == {
        mark: counted[mark] + 1 for mark in Mark
    }
    assert pixels.patches(pixel(drawing.HELD)) == 2
    assert pixels.patches(pixel(drawing.BARS)) == len(timeline.entries)


def test_what_is_called_bad_is_crossed_out_and_no_other() -> None:
    found = draw(timeline_of(X64, candidates(3), NOW, bad={"43.2.0"}))
    picture, ink = Pixels(found.png), pixel(drawing.INK)
    arms = {each.version: picture[each.x + 12, each.y + 12] == ink for each in found.places}
    assert arms == {"43.3.0": False, "43.2.0": True, "43.1.0": False}


def test_the_bars_say_in_how_many_regions_each_is(drawn: Drawing, pixels: Pixels) -> None:
    bar = pixel(drawing.BARS)
    lengths = [sum(each == bar for each in pixels.rows[round(place.y)]) for place in drawn.places]
    assert lengths[0] == pytest.approx(lengths[1] / 2, abs=2)
    assert len(set(lengths[1:])) == 1


def test_it_is_as_large_as_its_rows_and_opaque_in_a_light_room_and_a_dark_one(
    drawn: Drawing, pixels: Pixels
) -> None:
    picture = Picture.of(drawn.png, "x.png", "x")
    assert picture.size == (len(pixels.rows[0]), len(pixels.rows))
    assert picture.size[0] == 900
    assert picture.size[1] == pytest.approx(100 * (0.55 + 1.0 + 6 * 0.27), abs=1)
    assert pixels[1, 1] == pixel(drawing.BACKGROUND)
    assert contrast(drawing.INK, drawing.BACKGROUND) > 7
    # A mark that stands out little by its colour does by its edge, from the background and from what it encloses.
    assert all(contrast(drawing.INK, colour) > 4.5 for colour in COLOURS.values())
    assert contrast(drawing.HELD, drawing.BACKGROUND) > 3


def test_marks_differ_by_shape_as_well() -> None:
    assert len({drawing.SHAPES[mark] for mark in Mark}) == len(Mark)


@pytest.mark.parametrize(
    "versions",
    [(), (version("43.1.0"),), (*candidates(200), promoted("43.0.0"))],
    ids=["none", "no date", "many"],
)
def test_whatever_there_is_can_be_drawn_within_what_a_card_takes(versions: tuple[Any, ...]) -> None:
    drawn = draw(timeline_of("a $name$ with _marks^ \\frac{", versions, NOW))
    picture = Picture.of(drawn.png, "x.png", "x")
    assert picture.size[1] < 1100
    assert len(drawn.png) < 250_000


def test_the_settings_of_whoever_runs_it_count_for_nothing(timeline: Timeline, drawn: Drawing) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"figure.facecolor": "red", "font.size": 40, "lines.linewidth": 9}):
        assert draw(timeline).png == drawn.png
        assert mpl.rcParams["font.size"] == 40
