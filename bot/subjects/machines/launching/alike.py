"""Images that somebody may have meant whose name or id fits none: what is like it, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import SequenceMatcher

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.core.text import nearest

_WORD = re.compile(r"[a-z]+[0-9]*|[0-9]+", re.ASCII)
_SAME = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
"""Architectures, as clouds and distributions call them differently."""

_LONGEST = 128
_ID_ALIKE = 0.8  # ids of one cloud share a beginning and an alphabet, so that chance alone reaches 0.6
_SHARE = 0.5


def alike_images(images: Sequence[MachineImage], wanted: str, limit: int = 5) -> tuple[str, ...]:
    """Ids or names of these images that are like what was typed, best first; none where nothing is.

    What begins as ids do is compared with ids; anything else by its letters, or else by the words that it shares
    with a name: ``Fedora-Cloud-43-x64`` is like ``Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0``. Among names
    that share as much, the newest comes first.
    """
    wanted = wanted.strip("*").casefold()[:_LONGEST]
    prefix = wanted.partition("-")[0]
    if any(image.id.casefold().startswith(f"{prefix}-") for image in images if prefix):
        return _by_letters([image.id for image in images], wanted)[:limit]
    return nearest(wanted, (image.name for image in images), limit) or _by_words(images, wanted)[:limit]


def _by_letters(ids: Sequence[str], wanted: str) -> tuple[str, ...]:
    matcher = SequenceMatcher(None, b=wanted, autojunk=False)
    scored = []
    for each in dict.fromkeys(ids):
        matcher.set_seq1(each.casefold())
        scored.append((-matcher.ratio(), each))
    return tuple(each for score, each in sorted(scored) if -score >= _ID_ALIKE)


def _by_words(images: Sequence[MachineImage], wanted: str) -> tuple[str, ...]:
    words = _words(wanted)
    if not words:
        return ()
    scored = []
    for image in images:
        shared = (words & _words(image.name)).total()
        if shared >= max(2, _SHARE * words.total()):
            scored.append((shared, image.created_at or datetime.min.replace(tzinfo=UTC), image.name))
    return tuple(dict.fromkeys(name for _, _, name in sorted(scored, reverse=True)))


def _words(name: str) -> Counter[str]:
    folded = name.casefold()
    for known, common in _SAME.items():
        folded = folded.replace(known, common)
    return Counter(_WORD.findall(folded))
