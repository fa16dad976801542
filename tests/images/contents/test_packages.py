"""Manifests in each form, and what differs between two: pure."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.subjects.images.contents.packages import ManifestError, changes, read_manifest

SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {"name": "bash", "versionInfo": "5.2-1.fc43"},
        {"name": "curl", "versionInfo": "8.9-2.fc43"},
    ],
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "components": [{"name": "bash", "version": "5.2-1.fc43"}, {"name": "curl", "version": "8.9-2.fc43"}],
}
PLAIN = {"bash": frozenset({"5.2-1.fc43"}), "curl": frozenset({"8.9-2.fc43"})}


@pytest.mark.parametrize("document", [SPDX, CYCLONEDX])
def test_both_forms_of_json_are_read(document: object) -> None:
    assert read_manifest(json.dumps(document).encode()) == PLAIN


def test_lines_of_rpm_are_read_and_a_package_may_be_there_twice() -> None:
    lines = "kernel-core-6.17.1-300.fc43.x86_64\nkernel-core-6.17.4-300.fc43.x86_64\n\ngpg-pubkey-31645531-66b6dccf\n"
    assert read_manifest(lines.encode()) == {
        "kernel-core.x86_64": frozenset({"6.17.1-300.fc43", "6.17.4-300.fc43"}),
        "gpg-pubkey": frozenset({"31645531-66b6dccf"}),
    }


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe", "is no text"),
        (b"{", "is no JSON"),
        (b"{}", "is neither SPDX nor CycloneDX"),
        (b'{"spdxVersion": "SPDX-2.3", "packages": []}', "names no package"),
        (b'{"spdxVersion": "SPDX-2.3", "packages": [{}]}', "has an entry without a name"),
        (b'{"bomFormat": "CycloneDX", "components": [7]}', "has an entry without a name"),
        (b"", "names no package"),
        (b"<html>Not here</html>", "has a line that is no package"),
        (b"[" * 100_000, "has a line that is no package"),
        (b'{"a":' * 100_000, "is no JSON"),
    ],
)
def test_what_is_no_manifest_says_why(data: bytes, why: str) -> None:
    with pytest.raises(ManifestError, match=why):
        read_manifest(data)


def test_changes_are_told_in_a_line() -> None:
    before = {name: frozenset({"1"}) for name in ("a", "b", "c", "d", "gone")}
    after = {name: frozenset({"2"}) for name in ("a", "b", "c", "d")} | {"new": frozenset({"1"})}
    told = changes(before, after).words
    assert told == "4 updated (a, b, c and 1 more), 1 added (new), 1 removed (gone)"
    assert changes(after, after).words == "the same packages"


packages = st.dictionaries(
    st.sampled_from("abcdef"), st.frozensets(st.sampled_from("123"), min_size=1), max_size=6
)


@given(before=packages, after=packages)
def test_every_package_that_differs_is_in_one_list_and_no_other(
    before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]
) -> None:
    found = changes(before, after)
    listed = (*found.added, *found.removed, *found.updated)
    assert sorted(listed) == sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    back = changes(after, before)
    assert (back.added, back.removed, back.updated) == (found.removed, found.added, found.updated)
