"""Writes what is made of the code: ``python -m tests.documentation``. These are the tables of README.md and
docs/quality.md, from the declarations, and files of :data:`WHOLE`.

A table stands between ``<!-- table NAME … -->`` and ``<!-- end -->``; what stands around it is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from slipway.bot.core.measuring.meter import Bound, Counter, Gauge, Histogram, Label
from slipway.bot.core.measuring.metrics import METRICS
from slipway.bot.core.settings_table import AnyTable, TableShape
from slipway.bot.declared import OWN_TABLES, Declarations, declared
from slipway.commands.grammar.usage import usage
from tests.bill_of_materials import bill_of_materials
from tests.manual_page import manual_page
from tests.support.quality import ROOT, RULES, Part, PartKind, parts

PAGES = (ROOT / "README.md", ROOT / "docs/quality.md")

RELEASED = re.compile(r"^## \[[0-9.]+] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)


def released() -> str:
    """The day of the newest release, by the changelog."""
    newest = RELEASED.search((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert newest is not None
    return newest[1]


WHOLE: Mapping[Path, Callable[[], str]] = {
    ROOT / "deploy/slipway.1": lambda: manual_page(released()),
    ROOT / "deploy/sbom.cdx.json": bill_of_materials,
    ROOT / "docs/metrics.md": lambda: metrics_page(),  # noqa: PLW0108 - it is written below
}
"""Files that are written as a whole."""

_PLACE = re.compile(r"(<!-- table ([a-z-]+)\b[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)

_BRACKETS = {
    TableShape.SINGLE: ("[{}]",),
    TableShape.OPTIONAL: ("[{}]",),
    TableShape.NAMED: ("[{}.NAME]",),
    TableShape.ACCOUNTS: ("[{}]", "[{}.NAME]"),
}


def written(page: str, declarations: Declarations) -> str:
    """A page with its tables as the declarations have them now."""

    def table(match: re.Match[str]) -> str:
        return f"{match[1]}\n{_table(match[2], declarations)}\n\n{match[3]}"

    return _PLACE.sub(table, page)


def _table(name: str, declarations: Declarations) -> str:
    match name:
        case "commands":
            return _markdown(("Command", "What it does"), _commands(declarations))
        case "configuration":
            return _markdown(("Table", "What it says"), _configuration(declarations))
        case _:
            found = [part for part in parts(declarations) if f"{part.kind}s" == name]
            if not found:
                raise ValueError(f"there is no table {name}")
            return _quality(found[0].kind, found)


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _commands(declarations: Declarations) -> Iterator[tuple[str, str]]:
    for command in declarations.commands.commands:
        yield f"`{usage(command, '!')}`", command.summary


def _configuration(declarations: Declarations) -> Iterator[tuple[str, str]]:
    kinds = ", ".join(declarations.registry.kinds)
    further = ", ".join(f"`{right}`" for right in declarations.registry.further_rights)
    yield "top level", "`name` of this deployment in tags, `state_dir`, time `zone`, `log_format`"
    for table in OWN_TABLES:
        yield _names([table]), table.summary
    yield "`[commands]`", "the prefix of commands, and from what age messages are not acted on"
    yield _names(chat.table for chat in declarations.chats), "where people talk; at least one"
    abilities = ", ".join(
        f"{cloud.name} for {' and '.join(map(str, cloud.provides))}" for cloud in declarations.clouds
    )
    yield _names(cloud.table for cloud in declarations.clouds), f"accounts: {abilities}; at least one"
    yield "`[[person]]`", "one human each, with all accounts and roles"
    reading = "`read` (what looks, and votes where policy lets one)"
    yield "`[roles.NAME]`", f"the rights of holders: commands, `NOUN.*`, {further}, {reading}, `*` (all)"
    yield (
        "`[policy.KIND]`",
        f"for {kinds}: how many must agree, holding which role, until when; by rules, too",
    )
    yield "`[environment.NAME]`", "what rules of policies mean by it: accounts, names or patterns"
    yield "`[step_up]`", "the codes of authenticator apps that approvals of some kinds take"
    yield "`[emergency]`", "who may pass the approvals of which kinds, where something cannot wait"
    for table in declarations.registry.tables.values():
        yield _names([table]), table.summary
    yield "`[[freeze]]`", "times in which nothing changes, such as a release freeze, once or again and again"
    yield "`[freezes]`", "what goes on in a freeze by `!freeze`, and where freezes are told"
    yield (
        "`[[schedule]]`",
        "command lines that the clock says, such as a weekly promotion and a weekly clean-up",
    )
    yield "`[problems]`", "where what is wrong is told, and whom it is for"
    yield "`[audit]`", "when and where the audit trail's head is told: in a room, in a file elsewhere"
    yield "`[housekeeping]`", "how long is remembered what was heard and shown"
    yield (
        "`[http.ops]`, `[http.public]`",
        "where health is asked for by HTTP and by whom, and where Slack's requests are heard",
    )


def _names(tables: Iterable[AnyTable]) -> str:
    return ", ".join(
        f"`{brackets.format(table.name)}`" for table in tables for brackets in _BRACKETS[table.shape]
    )


def _quality(kind: PartKind, found: Sequence[Part]) -> str:
    statuses = [part.statuses() for part in found]
    rows = [
        (f"`{rule}`", text, *("done" if each[rule].done else "exempt" for each in statuses))
        for rule, text in RULES[kind].items()
    ]
    reasons = [
        f"- `{rule}` of **{part.name}**: {status.reason}."
        for part, each in zip(found, statuses, strict=True)
        for rule, status in each.items()
        if not status.done
    ]
    table = _markdown(("Rule", "What it asks", *(f"**{part.name}**" for part in found)), rows)
    return "\n".join([table, *(["", "Exempt:", "", *reasons] if reasons else [])])


_METRICS_PAGE = """# Metrics

What `/metrics` of `[http.ops]` tells, for Prometheus. [monitoring.md](monitoring.md) says who may read it. This page
is written from the code (`python -m tests.documentation`).

Counters and histograms count from the start of the process; a gauge is looked at when it is asked for. No label ever
names a person, a room or an image: values come from the code and the configuration, and what is none of them counts
as `other`, as do values beyond the two hundredth. Beside these there are the process's own: `process_*`.

"""

_METRIC_TYPES = {Counter: "counter", Histogram: "histogram", Gauge: "gauge"}


def metrics_page() -> str:
    """The reference of metrics as the code has them now."""
    rows = [
        (
            f"`{metric.name}`",
            _METRIC_TYPES[type(metric)],
            metric.says,
            "; ".join(map(_label, metric.labels)) or "-",
        )
        for metric in METRICS
    ]
    return f"{_METRICS_PAGE}{_markdown(('Metric', 'Type', 'What it tells', 'Labels'), rows)}\n"


def _label(label: Label) -> str:
    if isinstance(label.values, Bound):
        return f"`{label.name}`: {label.values}"
    return f"`{label.name}`: {', '.join(f'`{each}`' for each in label.values)}"


def main(pages: Iterable[Path] = PAGES) -> None:
    """Bring the pages up to date."""
    declarations = declared()
    for page in pages:
        page.write_text(written(page.read_text("utf-8"), declarations), "utf-8")
    for file, content in WHOLE.items():
        file.write_text(content(), "utf-8")


if __name__ == "__main__":
    main()
