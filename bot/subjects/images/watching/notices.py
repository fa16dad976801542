"""What people hear of changes that no operation of ours made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slipway.bot.chat.model import Card, Consequence, Shortcut, Tone
from slipway.bot.subjects.images.adopting.model import BY_THE_BUTTON, ForeignChange, Stage, images
from slipway.bot.subjects.images.watching.change import Aspect

MOST_SHOWN = 20
"""How many changes a card names."""

_WHOSE_MOVE = (
    "Slipway did not do this, and changes nothing by itself. If it is right, adopt it; if not, ask for what puts it "
    "right."
)


def changed_title(changes: Sequence[ForeignChange]) -> str:
    """What changed of a definition's versions, in a line."""
    return f"{_what(changes)} changed, and no operation of Slipway's did it"


def changed_card(changes: Sequence[ForeignChange], prefix: str, name: Callable[[str], str]) -> Card:
    """What changed of a definition's versions, what became of that, and what may be asked for about it.

    Args:
        changes: all that the notice tells; at least one.
        prefix: of command lines.
        name: what to call a person by their id.
    """
    left = [each for each in changes if each.open]
    lines = [_line(each, name) for each in changes[:MOST_SHOWN]]
    definition = changes[0].ref
    if len(changes) > MOST_SHOWN:
        lines.append(f"And {len(changes) - MOST_SHOWN} more: `{prefix}images {definition}`.")
    if not left:
        return Card(tone=Tone.DONE, title=_over(changes, name), text="\n".join(lines))
    undo = {line: label for change in left for label, line in offers(change)}
    return Card(
        tone=Tone.WARNING,
        title=changed_title(changes),
        text="\n".join(lines),
        notes=(
            _WHOSE_MOVE,
            f"Adopt: `{prefix}{_typed(left)}`",
            *(f"{label}: `{prefix}{line}`" for line, label in list(undo.items())[:MOST_SHOWN]),
            f"See what there is now: `{prefix}images {definition}`",
        ),
        shortcuts=(
            Shortcut(
                label="Adopt" if len(left) == 1 else f"Adopt all {len(left)}",
                command=adopt_line(left),
                consequence=Consequence.ORDINARY,
            ),
            *(
                Shortcut(label=label, command=line, consequence=Consequence.ORDINARY)
                for line, label in undo.items()
                if len(left) == 1
            ),
        ),
    )


def adopt_line(left: Sequence[ForeignChange]) -> str:
    """What a button says that adopts these, and nothing that changed since they were told."""
    return f"adopt --notice {left[0].notice} {_image(left)} {BY_THE_BUTTON}"


def offers(change: ForeignChange) -> tuple[tuple[str, str], ...]:
    """Proposals like any other that would undo it: label and line."""
    match change.change.aspect:
        case Aspect.PROMOTED:
            return (("Roll back", f"revoke {change.image} promoted without an operation"),)
        case Aspect.HIDDEN:
            return (("Promote again", f"promote {change.image}"),)
        case Aspect.DELETED | Aspect.DISABLED if change.change.kept:
            return (("Restore", f"restore {change.image}"),)
        case _:
            return ()


def _what(changes: Sequence[ForeignChange]) -> str:
    named = images(changes)
    return named[0] if len(named) == 1 else f"{len(named)} versions of {changes[0].ref}"


def _over(changes: Sequence[ForeignChange], name: Callable[[str], str]) -> str:
    persons = {each.person for each in changes}
    if len(persons) > 1 or not all(each.stage is Stage.ADOPTED for each in changes):
        return f"{_what(changes)} changed outside of Slipway, and nothing of that is open any more"
    return f"{_what(changes)} changed outside of Slipway, and {name(changes[0].person)} adopted that"


def _line(change: ForeignChange, name: Callable[[str], str]) -> str:
    when = "" if change.ended_at is None else f" on {change.ended_at:%Y-%m-%d %H:%M} UTC"
    match change.stage:
        case Stage.OPEN:
            became = ""
        case Stage.ADOPTED:
            became = f" {name(change.person)} adopted that{when}: {change.reason}"
        case Stage.OVER:
            became = f" That is not so any more{', as seen' + when if when else ''}."
    return f"{change.line}{became}"


def _image(left: Sequence[ForeignChange]) -> str:
    return left[0].image if len(images(left)) == 1 else str(left[0].ref)


def _typed(left: Sequence[ForeignChange]) -> str:
    return f"adopt {_image(left)} REASON"
