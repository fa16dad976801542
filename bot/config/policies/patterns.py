"""What two patterns mean of each other: whether one means all that another does, or anything of it. Pure."""

from __future__ import annotations

from functools import lru_cache

from slipway.bot.core.patterns import fits


def covers(wide: str, narrow: str) -> bool:
    """Whether a pattern such as ``Fedora-*`` or ``azure:Fedora-*`` certainly means whatever another means."""
    cloud, colon, name = wide.rpartition(":")
    narrow_cloud, narrow_colon, narrow_name = narrow.rpartition(":")
    if colon and not (narrow_colon and covers_name(cloud, narrow_cloud)):
        return False
    return covers_name(name, narrow_name)


def covers_name(wide: str, narrow: str) -> bool:
    """The same of patterns without an account. A question mark and a bracket mean one sign, which a star in the other
    is not: with these, only equal patterns are certain."""
    if wide.casefold() == narrow.casefold():
        return True
    return not any(sign in wide for sign in "?[") and fits(narrow, wide)


def meet(one: str, other: str) -> bool:
    """Whether a name can be meant by both of two patterns without an account. Brackets count as any one sign."""
    return _meet(_signs(one), _signs(other))


def _signs(pattern: str) -> str:
    """A pattern with a question mark in the place of each bracket."""
    signs, rest = "", pattern.casefold()
    while rest:
        end = rest.find("]", 2) if rest[0] == "[" else -1
        signs, rest = signs + ("?" if end > 0 else rest[0]), rest[max(end, 0) + 1 :]
    return signs


@lru_cache(maxsize=4096)
def _meet(one: str, other: str) -> bool:
    if one[:1] == "*":
        return _meet(one[1:], other) or (bool(other) and _meet(one, other[1:]))
    if other[:1] == "*":
        return _meet(other, one)
    if not one or not other:
        return not one and not other
    return (one[0] == other[0] or "?" in (one[0], other[0])) and _meet(one[1:], other[1:])
