"""Draws docs/cards/*.png: what the bot says, about as Slack and Element show it. Run it with: python docs/cards.py

It draws the golden files in tests/slack/cards, most of which real conversations wrote, and those of reports in
tests/reports/said (``reports/daily-slack``, ``reports/daily-matrix``), in a headless Chromium (of
Debian: ``apt install chromium pngquant fonts-lato fonts-noto-color-emoji``; CHROMIUM names another). Names of golden
files on the command line draw those, into the folder that ``--into`` names: to look at a change of a card.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
AGREED = HERE.parent / "tests" / "slack" / "cards"
"""The golden files: of views here, of what real conversations wrote in the folder ``said``."""

REPORTS = HERE.parent / "tests" / "reports" / "said"
"""The golden files of reports: in Slack's JSON, and in Matrix's HTML, one message after the other."""

PICTURES = HERE / "cards"
DESK, PHONE = 760, 390
"""Widths in pixels: of a channel beside its list of channels, and of a phone."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """One picture: the golden files that stand on it, one below another, how wide it is, and how many messages of
    each there are; None for all."""

    name: str
    said: tuple[str, ...]
    width: int = DESK
    most: int | None = None


DRAWN = (
    Picture("proposed", ("said/promote-proposed",)),
    Picture("done", ("said/promote-done", "said/promote-done-report")),
    Picture("phone", ("said/rollback-proposed",), PHONE),
    Picture("help-on-a-phone", ("said/help",), PHONE),
    Picture("images", ("said/images-of-one",)),
    Picture("failed", ("said/failed", "said/failed-report")),
    Picture("home", ("said/home-busy",)),
    Picture("form", ("view-launch-azure",)),
    Picture("report-slack", ("reports/daily-slack",), most=4),
    Picture("report-matrix", ("reports/daily-matrix",), most=4),
    Picture("report-on-a-phone", ("reports/monthly-matrix",), PHONE, most=3),
)
"""The pictures of the documentation."""

STYLE = """
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1d1c1d; font: 15px/22px Lato, "Noto Sans", sans-serif; }
#all { padding: 12px 20px; }
.message { display: flex; gap: 10px; margin-bottom: 14px; }
.round { border-radius: 50% !important; }
.matrix { color: #368bd6; }
.said pre, .said code { background: #f2f5f8; border: 0; color: #17191c; }
.said pre { padding: 8px; overflow-x: auto; }
.said pre code { padding: 0; }
.said ul { padding-left: 22px; }
.face { flex: none; width: 36px; height: 36px; border-radius: 8px; background: #2f5d8a; color: #fff;
  font: 700 20px/36px Lato, sans-serif; text-align: center; }
.body { min-width: 0; flex: 1; }
.who b { font-weight: 900; } .who i { font: 700 10px/14px Lato, sans-serif; background: #e8e8e8; color: #616061;
  border-radius: 3px; padding: 1px 3px; margin: 0 6px; } .who small { font-size: 12px; color: #616061; }
.header { font: 900 18px/24px Lato, sans-serif; margin: 4px 0 6px; }
.section { margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 6px 0; }
.context { font-size: 12px; line-height: 18px; color: #616061; margin: 6px 0; white-space: pre-wrap; }
hr { border: 0; border-top: 1px solid #ddd; margin: 14px 0; }
code { font: 12px/18px "DejaVu Sans Mono", monospace; color: #c01343; background: #f6f6f6;
  border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; }
.context code { font-size: 11px; }
pre { font: 12px/18px "DejaVu Sans Mono", monospace; background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px;
  padding: 8px; margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow: hidden; margin: 6px 0; border: 1px solid #ddd; border-radius: 8px; }
table { border-collapse: collapse; min-width: 100%; }
td { padding: 6px 10px; border: 1px solid #e4e4e4; vertical-align: top; white-space: nowrap; max-width: 460px;
  overflow: hidden; text-overflow: ellipsis; }
td.wrapped { white-space: normal; min-width: 120px; }
tr:first-child td { font-weight: 700; background: #f8f8f8; }
.label { font-weight: 700; margin: 10px 0 2px; } .label small, .input small { font-weight: 400; color: #616061; }
.input { border: 1px solid #999; border-radius: 4px; padding: 4px 10px; overflow-wrap: anywhere; }
.input i { float: right; font-style: normal; } .empty { color: #888; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0 4px; }
button { font: 700 13px/28px Lato, sans-serif; border: 1px solid #bbb; border-radius: 4px; background: #fff;
  color: #1d1c1d; padding: 0 12px; }
button.primary { background: #007a5a; border-color: #007a5a; color: #fff; }
button.danger { background: #e01e5a; border-color: #e01e5a; color: #fff; }
.at { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px; }
"""


def marked(text: str) -> str:
    """Slack's mrkdwn, as far as the bot writes it, as HTML."""
    pieces = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.DOTALL)
    return "".join(_code(piece) if place % 2 else _prose(piece) for place, piece in enumerate(pieces))


def _code(piece: str) -> str:
    plain = escape(unescape(piece.strip("`").strip("\n")))
    return f"<pre>{plain}</pre>" if piece.startswith("```") else f"<code>{plain}</code>"


def _prose(piece: str) -> str:
    found = re.sub(r"<@([A-Z0-9]+)>", "\x01\\1\x02", piece)
    found = escape(unescape(found)).replace("\N{WORD JOINER}", "")
    found = re.sub(
        "\x01([A-Z])0([A-Z]+)[^\x02]*\x02", lambda m: f'<span class="at">@{m[2].title()}</span>', found
    )
    found = re.sub(r"&lt;#[A-Z]0([A-Z]+)\d*&gt;", lambda m: f'<span class="at">#{m[1].lower()}</span>', found)
    found = re.sub(r"(?<!\w)\*([^*\n]+)\*(?!\w)", r"<b>\1</b>", found)
    return re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", found)


def _text(text: Json) -> str:
    return marked(text["text"]) if text["type"] == "mrkdwn" else escape(text["text"])


def _table(block: Json) -> str:
    settings = block.get("column_settings") or []

    def cell(place: int, content: Json) -> str:
        how = (settings[place] if place < len(settings) else None) or {}
        wrapped = ' class="wrapped"' if how.get("is_wrapped") else ""
        align = f' style="text-align: {how["align"]}"' if how.get("align") else ""
        return f"<td{wrapped}{align}>{escape(_cell_text(content))}</td>"

    rows = ("".join(cell(place, each) for place, each in enumerate(row)) for row in block["rows"])
    return f'<div class="scroll"><table>{"".join(f"<tr>{row}</tr>" for row in rows)}</table></div>'


def _cell_text(content: Json) -> str:
    if content["type"] == "rich_text":
        return "".join(leaf.get("text", "") for part in content["elements"] for leaf in part["elements"])
    return str(content["text"])


def _input(block: Json) -> str:
    """A field of a form, with what stands in it at first."""
    element = block["element"]
    chosen = element.get("initial_option")
    shown = _text(chosen["text"]) if chosen else escape(element.get("initial_value", ""))
    if chosen and "description" in chosen:
        shown += f" <small>{_text(chosen['description'])}</small>"
    empty = f'<span class="empty">{_text(element["placeholder"])}</span>' if "placeholder" in element else ""
    arrow = "<i>▾</i>" if element["type"] == "static_select" else ""
    label = _text(block["label"]) + (" <small>(optional)</small>" if block.get("optional") else "")
    hint = f'<div class="context">{_text(block["hint"])}</div>' if "hint" in block else ""
    return (
        f'<div class="label">{label}</div><div class="input">{shown or empty or "&nbsp;"}{arrow}</div>{hint}'
    )


def drawn(block: Json) -> str:
    """One block as HTML."""
    match block["type"]:
        case "header":
            return f'<div class="header">{_text(block["text"])}</div>'
        case "section":
            fields = "".join(
                f'<div class="section">{_text(field)}</div>' for field in block.get("fields", ())
            )
            text = f'<div class="section">{_text(block["text"])}</div>' if "text" in block else ""
            return text + (f'<div class="fields">{fields}</div>' if fields else "")
        case "context":
            return "".join(f'<div class="context">{_text(each)}</div>' for each in block["elements"])
        case "divider":
            return "<hr>"
        case "table":
            return _table(block)
        case "actions":
            buttons = (
                f'<button class="{each.get("style", "")}">{_text(each["text"])}</button>'
                for each in block["elements"]
            )
            return f'<div class="actions">{"".join(buttons)}</div>'
        case "input":
            return _input(block)
        case other:
            raise ValueError(f"there is no way to draw a block of the kind {other}")


def page(picture: Picture) -> str:
    """A page with the messages of a picture."""
    head = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
    # A window is never narrower than 500 pixels while it is measured; the page is.
    return f'{head}<div id=all style="width: {picture.width}px">{_messages(picture)}</div>{MEASURED}'


MEASURED = (
    "<script>document.documentElement.dataset.height = document.getElementById('all').offsetHeight</script>"
)


def _messages(picture: Picture) -> str:
    return "".join("".join(_read(name)[: picture.most]) for name in picture.said)


def _file(name: str) -> Path:
    """The golden file of this name."""
    folder, _, report = name.rpartition("reports/")
    if not folder and report != name:
        return REPORTS / (f"{report}.html" if report.endswith("-matrix") else f"{report}.json")
    return AGREED / f"{name}.json"


def _read(name: str) -> list[str]:
    """The messages of a golden file, drawn."""
    file = _file(name)
    text = file.read_text("utf-8")
    if file.suffix == ".html":
        who = '<div class="who"><b class="matrix">Slipway</b></div>'
        return [
            f'<div class="message"><div class="face round">S</div><div class="body said">{who}{each}</div></div>'
            for each in re.split(r"\n(?=<strong>)", text)
        ]
    said = json.loads(text)
    return [_message(each) for each in (said if isinstance(said, list) else [said])]


def _message(said: Json) -> str:
    blocks = "".join(map(drawn, said["blocks"]))
    if said.get("type") == "home":
        return blocks
    if said.get("type") == "modal":
        buttons = f'<button>{_text(said["close"])}</button> <button class="primary">{_text(said["submit"])}</button>'
        return f'<div class="header">{_text(said["title"])}</div>{blocks}<div class="actions">{buttons}</div>'
    who = '<div class="who"><b>Slipway</b><i>APP</i><small>12:24</small></div>'
    return f'<div class="message"><div class="face">S</div><div class="body">{who}{blocks}</div></div>'


def shoot(picture: Picture, into: Path) -> Path:
    """Draw a picture in Chromium; the second run knows how high it is.

    Raises:
        subprocess.CalledProcessError: Chromium failed.
    """
    target = into / f"{picture.name}.png"
    with TemporaryDirectory(prefix="cards-") as folder:
        source = Path(folder) / "card.html"
        source.write_text(page(picture), encoding="utf-8")
        browser = [
            os.environ.get("CHROMIUM", "chromium"),
            "--headless=new",
            "--no-sandbox",
            "--hide-scrollbars",
        ]
        browser += [f"--user-data-dir={folder}/profile", "--disable-gpu", "--force-device-scale-factor=1"]

        def run(*arguments: str) -> str:
            command = [*browser, *arguments, source.as_uri()]
            shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)  # noqa: S603
            return shown.stdout

        height = re.search(r'data-height="(\d+)"', run(f"--window-size={picture.width},1000", "--dump-dom"))
        run(f"--window-size={picture.width},{height[1] if height else 1000}", f"--screenshot={target}")
    if pngquant := shutil.which("pngquant"):  # a third of the size; what it does not take stays as it is
        subprocess.run([pngquant, "--force", "--ext=.png", "64", str(target)], check=True, timeout=60)  # noqa: S603
    return target


def _golden(name: str) -> str:
    """The name of a golden file, which may be typed with its ending."""
    found = name.removesuffix(".json").removesuffix(".html")
    if not _file(found).is_file():
        raise argparse.ArgumentTypeError(f"there is no golden file {_file(found)}")
    return found


def main() -> None:
    """Draw what the command line names; all pictures of the documentation without."""
    asked = argparse.ArgumentParser(description="Draws cards as Slack shows them.")
    asked.add_argument(
        "said",
        nargs="*",
        type=_golden,
        help="golden files, like said/help; none for the documentation's pictures",
    )
    asked.add_argument("--into", type=Path, default=PICTURES, help="the folder of the pictures")
    asked.add_argument("--width", type=int, default=DESK)
    options = asked.parse_args()
    pictures = tuple(Picture(Path(name).name, (name,), options.width) for name in options.said) or DRAWN
    options.into.mkdir(exist_ok=True)
    for picture in pictures:
        target = shoot(picture, options.into)
        sys.stdout.write(f"{target} {target.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
