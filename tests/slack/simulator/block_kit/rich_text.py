"""What Slack takes and refuses inside ``rich_text``.

Source: docs.slack.dev/reference/block-kit/blocks/rich-text-block. Links and dates are refused where they are none.
"""

from __future__ import annotations

from typing import Any

from tests.slack.simulator.block_kit.rules import (
    Items,
    OneOf,
    Rule,
    Shape,
    Str,
    Union,
    Url,
    flag,
    whole_number,
)

_MOST = 1000
_LONGEST = 12_000
_STYLES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
_STYLE = Shape(dict.fromkeys(_STYLES, flag))


def _leaf(*required: str, **fields: Rule) -> Shape:
    return Shape({"style": _STYLE, **fields}, frozenset(required))


_TEXT = _leaf("text", text=Str(_LONGEST))
_LINK = _leaf("url", url=Url(3000), text=Str(_LONGEST, least=0), unsafe=flag)
_LEAVES: dict[str, Rule] = {
    "text": _TEXT,
    "link": _LINK,
    "broadcast": _leaf("range", range=OneOf(("here", "channel", "everyone"))),
    "channel": _leaf("channel_id", channel_id=Str(50)),
    "color": _leaf("value", value=Str(20)),
    "date": _leaf(
        "timestamp", "format", timestamp=whole_number, format=Str(1000), url=Url(3000), fallback=Str(1000)
    ),
    "emoji": _leaf("name", name=Str(100), unicode=Str(100), skin_tone=whole_number, url=Url(3000)),
    "team": _leaf("team_id", team_id=Str(50)),
    "user": _leaf("user_id", user_id=Str(50)),
    "usergroup": _leaf("usergroup_id", usergroup_id=Str(50)),
}
_SECTION = Shape({"elements": Items(_MOST, Union(_LEAVES), least=0)}, frozenset({"elements"}))
_BORDER: dict[str, Rule] = {"border": whole_number}
_PLAIN = Union({"text": _TEXT, "link": _LINK})


def _even_indent(value: dict[str, Any]) -> str | None:
    indent = value.get("indent")
    within = not isinstance(indent, int) or 0 <= indent <= 8
    return None if within else "indent must be between 0 and 8"


ELEMENT = Union(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": Shape(
            {
                "elements": Items(_MOST, Union({"rich_text_section": _SECTION}), least=0),
                "style": OneOf(("bullet", "ordered")),
                "indent": whole_number,
                "offset": whole_number,
                **_BORDER,
            },
            frozenset({"elements", "style"}),
            (_even_indent,),
        ),
        "rich_text_preformatted": Shape(
            {"elements": Items(_MOST, _PLAIN, least=0), "language": Str(50), **_BORDER},
            frozenset({"elements"}),
        ),
        "rich_text_quote": Shape(
            {"elements": Items(_MOST, Union(_LEAVES), least=0), **_BORDER}, frozenset({"elements"})
        ),
    }
)
"""One of the parts that a ``rich_text`` block is made of."""
