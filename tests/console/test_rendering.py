"""What a console shows: plain text, JSON lines, and what takes the place of what."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from rich.console import Console

from slipway.bot.chat.console.editor import Entered
from slipway.bot.chat.console.picture_files import MOST_KEPT
from slipway.bot.chat.console.rendering import JsonRenderer, PlainRenderer
from slipway.bot.chat.console.screen import BREAK, Screen
from slipway.bot.chat.console.terminal import TerminalRenderer, terminal_console
from slipway.bot.chat.model import (
    Card,
    Field,
    Tone,
)
from tests.console.fakes import EventRecorder, ScriptedInput, console_chat, proposal
from tests.support.pictures import PICTURE


async def test_a_picture_is_a_file_whose_path_the_card_names(tmp_path: Path) -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output))
    chat.keep_pictures_in(tmp_path / "pictures")
    card = Card(title="2 versions", notes=("One.",), pictures=(PICTURE,))
    await chat.send("console", card, thread=None, key="k1")
    *_, path = output.getvalue().split()
    assert output.getvalue() == f"ℹ 2 versions\n\n• One.\n• As a picture: {path}\n\n"
    assert _bytes(path) == PICTURE.png
    for number in range(MOST_KEPT + 5):
        other = PICTURE.model_copy(update={"name": f"{number}.png"})
        await chat.send("console", Card(title="x", pictures=(other,)), thread=None, key=f"other {number}")
    kept = {each.name for each in (tmp_path / "pictures").iterdir()}
    assert kept == {f"{number}.png" for number in range(5, MOST_KEPT + 5)}


async def test_a_card_is_shown_without_its_picture_where_that_cannot_be_written(tmp_path: Path) -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output))
    (tmp_path / "pictures").write_text("a file is in the way")
    chat.keep_pictures_in(tmp_path / "pictures")
    await chat.send("console", Card(title="2 versions", pictures=(PICTURE,)), thread=None, key="k1")
    assert output.getvalue() == "ℹ 2 versions\n\n"


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


WORKING = Card(tone=Tone.RUNNING, title="Working on it…")


async def test_json_is_one_object_a_message_with_keys_in_order() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(Entered("5")), screen=Screen(output), renderer=JsonRenderer())
    root = await chat.send("console", proposal(), thread=None, key="k1")
    await chat.edit("console", root, Card(tone=Tone.RUNNING, title="1 of\n2"), thread=None, key="k2")
    await chat.send("console", Card(title="détail"), thread=root, key="k3")
    await chat.run(EventRecorder().accept)
    sent, edited, threaded, local = map(json.loads, output.getvalue().splitlines())
    keys = ["id", "room", "thread", "title", "text", "fields", "tables"]
    keys += ["notes", "buttons", "shortcuts", "tone", "edits", "mentions", "outcome", "operation"]
    assert all(list(line) == keys for line in (sent, edited, threaded, local))
    assert sent["buttons"][1] == {"number": 2, "choice": "reject", "label": "Reject", "operation": "op-7k3f"}
    assert (sent["id"], sent["edits"], sent["tone"]) == (root, None, "waiting")
    assert (edited["edits"], edited["title"], edited["buttons"]) == (root, "1 of\n2", [])
    assert (threaded["thread"], threaded["title"]) == (root, "détail")
    assert [line["outcome"] for line in (sent, local)] == ["answered", "refused"]
    assert local["title"] == "There is no button 5. There are no buttons now; `pending` shows what waits."
    assert len({line["id"] for line in (sent, edited, threaded, local)}) == 4


async def test_what_the_stream_cannot_carry_becomes_a_question_mark() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    await Screen(stream).show("⏳ Café \ud800")
    assert raw.getvalue() == "? Café ?\n".encode("latin-1")


async def test_plain_text_marks_threads_buttons_and_progress() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output), renderer=PlainRenderer())
    root = await chat.send("console", proposal(), thread=None, key="k1")
    running = Card(tone=Tone.RUNNING, title="Promoting", fields=(Field(label="Progress", value="1 of 2"),))
    await chat.edit("console", root, running, thread=None, key="k2")
    further = running.model_copy(update={"fields": (Field(label="Progress", value="2 of 2"),)})
    await chat.edit("console", root, further, thread=None, key="k3")
    await chat.edit("console", root, further, thread=None, key="k4")
    await chat.send("console", Card(tone=Tone.DONE, title="Step 1", text="Verified."), thread=root, key="k5")
    await chat.edit("console", root, Card(tone=Tone.DONE, title="Promoted."), thread=None, key="k6")
    assert output.getvalue() == (
        "⏳ Waiting · Promote 43.20261120.0?\n\n[1] Approve  [2] Reject\n\n"
        "▶ Running · op-7k3f: Promoting · Progress: 1 of 2\n"
        "▶ Running · op-7k3f: Progress: 2 of 2\n"
        "↳ in op-7k3f\n  ✔ Step 1\n\n  Verified.\n\n"
        "✔ Promoted.\n\n"
    )


def seen(output: str) -> list[str]:
    """What stands on a terminal at the end, line by line; it knows as much as the screen writes."""
    rows, row = [""], 0
    for part in re.split(r"(\n|\r|\x1b\[K|\x1b\[1A)", output):
        match part:
            case "\n":
                row += 1
                rows += [""] * (row + 1 - len(rows))
            case "\x1b[1A":
                row -= 1
            case "\x1b[K":
                rows[row] = ""
            case "\r" | "":
                pass
            case _:
                rows[row] += part
    return rows


async def test_on_a_terminal_an_answer_takes_the_place_of_the_line_that_it_is_worked_on() -> None:
    output = io.StringIO()
    screen = Screen(output)
    look = TerminalRenderer(terminal_console(io.StringIO()))
    chat = console_chat(ScriptedInput(), screen=screen, renderer=look)
    await screen.prompt("alice> ")
    asked = WORKING.model_copy(update={"answers": "s1-0"})  # as the dispatcher sends it
    first = await chat.send("console", asked, thread=None, key="k1")
    second = await chat.send("console", WORKING, thread=None, key="k2")
    await chat.send("console", Card(title="Something else."), thread=None, key="k3")
    working = ["▶ Running · Working on it…", "alice> "]
    assert seen(output.getvalue()) == ["ℹ Something else.", *working]
    await chat.edit("console", first, Card(title="One."), thread=None, key="k4")
    assert seen(output.getvalue()) == ["ℹ Something else.", "ℹ One.", *working]
    await chat.edit("console", second, Card(title="Two."), thread=None, key="k5")
    assert seen(output.getvalue()) == ["ℹ Something else.", "ℹ One.", "ℹ Two.", "alice> "]


async def test_in_a_pipe_nothing_of_an_answer_is_lost_that_was_waited_for_or_of_progress() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output, erase=BREAK))
    many = [f"Step {number} of the plan says as much as a step has to say." for number in range(9)]
    root = await chat.send("console", WORKING, thread=None, key="k1")
    running = Card(tone=Tone.RUNNING, title="op-7k3f cleanup: running", text="\n".join(many))
    await chat.edit("console", root, running, thread=None, key="k2")
    assert [line for line in output.getvalue().splitlines() if line in many] == many, (
        "a card was cut to a line"
    )
    further = [f"{line} It is done." for line in many]
    await chat.edit(
        "console", root, running.model_copy(update={"text": "\n".join(further)}), thread=None, key="k3"
    )
    assert all(line in output.getvalue() for line in further)


async def test_what_takes_the_place_of_a_wait_keeps_its_warnings_at_any_width() -> None:
    output = io.StringIO()
    look = TerminalRenderer(terminal_console(io.StringIO()))
    chat = console_chat(ScriptedInput(), screen=Screen(output), renderer=look)
    asked = WORKING.model_copy(update={"answers": "s1-0"})
    message = await chat.send("console", asked, thread=None, key="k1")
    lines = [f"Line {number} of a launch that says a lot about its machine." for number in range(5)]
    warning = "⚠ No key of yours is put in."
    running = Card(tone=Tone.RUNNING, title="op-7k3f launch: running", text="\n".join([*lines, warning]))
    await chat.edit("console", message, running, thread=None, key="k2")
    assert all(line in output.getvalue() for line in [*lines, warning])
    late = "⚠ The limits leave no room for another one."
    further = "\n".join([*(f"{line} Done." for line in lines), warning, late])
    await chat.edit("console", message, running.model_copy(update={"text": further}), thread=None, key="k3")
    assert late in output.getvalue().replace("\n", " ")


async def test_what_several_cards_of_an_operation_become_is_told_once_and_to_programs_each_time() -> None:
    for look, times in ((PlainRenderer(), 1), (JsonRenderer(), 2)):
        output = io.StringIO()
        chat = console_chat(ScriptedInput(), screen=Screen(output), renderer=look)
        cards = [await chat.send("console", proposal(), thread=None, key=f"k{n}") for n in range(2)]
        done = Card(tone=Tone.DONE, title="op-7k3f promote: done")
        for card in cards:
            await chat.edit("console", card, done, thread=None, key=f"e{card}")
        assert output.getvalue().count("promote: done") == times


async def test_a_line_being_worked_on_names_what_was_typed_on_one_row() -> None:
    output = io.StringIO()
    look = TerminalRenderer(Console(file=io.StringIO(), width=40, no_color=True))
    source = ScriptedInput(Entered("!launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261127.0"), live=True)
    chat, recorder = console_chat(source, screen=Screen(output), renderer=look), EventRecorder()
    await chat.run(recorder.accept)
    asked = WORKING.model_copy(update={"answers": recorder.events[0].event_id})
    await chat.send("console", asked, thread=None, key="k1")
    (row,) = filter(None, seen(output.getvalue()))
    assert row.startswith("▶ Running · Working on it…  ↳ to !la")
    assert len(row) < 40
