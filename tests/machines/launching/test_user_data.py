"""A template's own user data survives beside keys and timer: read by the rules by which cloud-init reads it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.launching.user_data import (
    LONGEST,
    forgets_default_user,
    keys_part,
    merged,
    timer_part,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDaFwK6Xv0k2h3cPvW2sS6Zf8sVn7p1m3rQ2u0eY5c1x github:alice"
ENDS = datetime(2026, 12, 7, 12, 0, tzinfo=UTC)
CONFIG = b"#cloud-config\nssh_authorized_keys: [ssh-rsa AAAA team]\npackages: [tmux]\n"
SCRIPT = b"#!/bin/sh\ntouch /ready\n"


def parts_of(data: bytes) -> list[Message]:
    """As cloud-init takes it apart: containers are nothing, everything in them is a part."""
    assert b"mime-version:" in data[:4096].lower()
    return [part for part in message_from_bytes(data).walk() if part.get_content_maintype() != "multipart"]


def text_of(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def mime(*parts: tuple[str, bytes]) -> bytes:
    """A template that is a multipart message itself."""
    lines = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', ""]
    for kind, text in parts:
        lines += ["--b", f"Content-Type: text/{kind}", "X-Merge-Type: dict(recurse_array)", "", text.decode()]
    return "\n".join([*lines, "--b--", ""]).encode()


@pytest.mark.parametrize(
    "template", [CONFIG, SCRIPT, b"#include\nhttps://example.org/setup\n", b"## template: jinja\n"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_templates_own_user_data_comes_first_and_as_it_was(template: bytes, packed: bool) -> None:
    data = merged(gzip.compress(template) if packed else template, (keys_part([KEY]), timer_part(ENDS)))
    own, keys, timer = parts_of(data)
    assert own.get_content_type() == "text/plain"  # cloud-init goes by its first line then
    assert text_of(own) == template
    assert (keys.get_content_type(), timer.get_content_type()) == ("text/cloud-config", "text/cloud-boothook")


def test_a_template_of_several_parts_keeps_each_with_its_headers() -> None:
    data = merged(mime(("cloud-config", CONFIG), ("x-shellscript", SCRIPT)), (keys_part([KEY]),))
    first, second, keys = parts_of(data)
    assert [each.get_content_type() for each in (first, second)] == [
        "text/cloud-config",
        "text/x-shellscript",
    ]
    assert first["X-Merge-Type"] == "dict(recurse_array)"
    assert (text_of(first).strip(), text_of(second).strip()) == (CONFIG.strip(), SCRIPT.strip())
    assert keys["Merge-Type"] == "list(append)+dict(no_replace,recurse_list)+str()"


def test_keys_are_added_to_those_of_the_template_and_replace_nothing() -> None:
    (keys,) = parts_of(merged(b"", (keys_part([KEY]),)))
    head, _, body = text_of(keys).decode().partition("\n")
    assert head == "#cloud-config"
    assert json.loads(body) == {"ssh_authorized_keys": [KEY]}
    assert "no_replace" in keys["Merge-Type"]


def test_the_machine_ends_itself_at_the_end_of_its_whole_life_at_every_boot() -> None:
    (timer,) = parts_of(merged(b"", (timer_part(ENDS),)))
    script = text_of(timer).decode()
    assert script.startswith("#cloud-boothook\n#!/bin/sh\n")
    assert str(int(ENDS.timestamp())) in script


def test_with_nothing_to_add_the_template_stays_as_it_is() -> None:
    assert merged(CONFIG, ()) == CONFIG


def test_the_same_launch_has_the_same_bytes_as_its_token_demands() -> None:
    parts = (keys_part([KEY]), timer_part(ENDS))
    assert merged(CONFIG, parts) == merged(CONFIG, parts)


def test_what_is_too_long_as_it_stands_is_packed_as_cloud_init_unpacks_it() -> None:
    template = b"#!/bin/sh\n" + b"# a long line\n" * 1000
    data = merged(template, (keys_part([KEY]),))
    assert len(data) <= LONGEST
    own, _keys = parts_of(gzip.decompress(data))
    assert text_of(own) == template
    assert merged(template, (keys_part([KEY]),)) == data


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (b"\xff\xfe\x00binary", "neither text nor gzip"),
        (gzip.compress(CONFIG, mtime=0)[:20], "broken gzip"),
        (gzip.compress(b"#" * 2_000_000, mtime=0), "unpacks to more than"),
        (b"#!/bin/sh\n# " + Random(1).randbytes(12_000).hex().encode(), f"clouds take {LONGEST:,}"),
    ],
)
def test_what_cannot_be_merged_is_refused_in_a_sentence(template: bytes, told: str) -> None:
    with pytest.raises(UserError, match=told):
        merged(template, (keys_part([KEY]),))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=2000))
def test_whatever_text_a_template_holds_comes_through_unchanged(text: str) -> None:
    template = f"#!/bin/sh\nFrom {text}".encode()
    own, _keys = parts_of(merged(template, (keys_part([KEY]),)))
    assert text_of(own) == template


@pytest.mark.parametrize(
    ("template", "forgets"),
    [
        (b"#cloud-config\nusers:\n  - name: builder\n", True),
        (b"#cloud-config\nusers:\n  - default\n  - name: builder\n", False),
        (b"#cloud-config\nusers: [default, {name: builder}]\n", False),
        (CONFIG, False),
        (SCRIPT, False),
        (mime(("cloud-config", b"#cloud-config\nusers:\n  - name: builder\n")), True),
    ],
)
def test_a_template_that_leaves_the_images_user_out_is_noticed(template: bytes, forgets: bool) -> None:
    assert forgets_default_user(template) is forgets
