"""What programs read, and that the schema in docs/ describes it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway import __version__
from slipway.bot.subjects.images.publishing.document import LatestImage, Stream, document, same, written
from tests.support.clock import NOW

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/images.schema.json").read_text("utf-8"))
LATER = NOW + timedelta(hours=1)

X64 = Stream(
    "Fedora-Cloud-43-x64",
    "azure",
    "x64",
    (LatestImage("westus", "43.1.0"), LatestImage("eastus", "43.2.0", "/images/43.2.0")),
)
AMI = Stream("Fedora-Cloud-43-x64", "aws", "x86_64", (LatestImage("us-east-1", "43.2.0", "ami-1"),))
ARM = Stream("Fedora-Cloud-43-Arm64", "azure", "Arm64", ())

streams = st.lists(
    st.builds(
        Stream,
        st.text(min_size=1, max_size=8),
        st.sampled_from(["aws", "azure", "azure.staging"]),
        st.sampled_from(["x64", "Arm64", "x86_64", "", "riscv64"]),
        st.lists(
            st.builds(
                LatestImage,
                st.sampled_from(["eastus", "westus"]),
                st.text(min_size=1, max_size=5),
                st.none() | st.text(min_size=1, max_size=5),
                st.lists(st.text(min_size=1, max_size=5), max_size=2).map(tuple),
            )
        ).map(tuple),
    ),
    unique_by=lambda each: (each.definition, each.cloud),
)


def check(found: Any) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(written(found)))


def test_it_says_what_is_latest_by_definition_architecture_cloud_and_region() -> None:
    found = document((X64, ARM, AMI), NOW)
    check(found)
    assert found["metadata"] == {
        "last-modified": "2026-11-20T12:00:00Z",
        "generator": f"slipway {__version__}",
    }
    assert found["streams"] == {
        "Fedora-Cloud-43-Arm64": {
            "stream": "Fedora-Cloud-43-Arm64",
            "metadata": {"last-modified": "2026-11-20T12:00:00Z"},
            "architectures": {"aarch64": {"artifacts": {}, "images": {}}},
        },
        "Fedora-Cloud-43-x64": {
            "stream": "Fedora-Cloud-43-x64",
            "metadata": {"last-modified": "2026-11-20T12:00:00Z"},
            "architectures": {
                "x86_64": {
                    "artifacts": {},
                    "images": {
                        "aws": {"regions": {"us-east-1": {"release": "43.2.0", "image": "ami-1"}}},
                        "azure": {
                            "regions": {
                                "eastus": {"release": "43.2.0", "image": "/images/43.2.0"},
                                "westus": {"release": "43.1.0"},
                            }
                        },
                    },
                }
            },
        },
    }


def test_what_did_not_change_keeps_its_time() -> None:
    before = json.loads(written(document((X64, ARM), NOW)))
    after: Any = document((X64, ARM, AMI), LATER, before)
    assert after["metadata"]["last-modified"] == "2026-11-20T13:00:00Z"
    times = {name: each["metadata"]["last-modified"] for name, each in after["streams"].items()}
    assert times == {
        "Fedora-Cloud-43-Arm64": "2026-11-20T12:00:00Z",
        "Fedora-Cloud-43-x64": "2026-11-20T13:00:00Z",
    }
    assert not same(before, after)
    assert same(before, document((ARM, X64), LATER, before))


@given(streams)
def test_the_schema_describes_whatever_there_is_in_any_order(some: list[Stream]) -> None:
    found = document(some, NOW)
    check(found)
    assert document(some[::-1], NOW) == found
    assert same(json.loads(written(found)), document(some, LATER, json.loads(written(found))))


@pytest.mark.parametrize(
    "broken",
    [
        {"format": 2},
        {"streams": {"x": {}}},
        {"metadata": {"last-modified": "yesterday", "generator": "x"}},
        {"streams": {"x": {"stream": "x", "metadata": {"last-modified": "2026-11-20T12:00:00Z"}}}},
    ],
)
def test_the_schema_refuses_what_is_no_such_document(broken: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check({**document((X64,), NOW), **broken})


@pytest.mark.parametrize("before", [None, {}, {"streams": []}, {"streams": {"Fedora-Cloud-43-x64": "odd"}}])
def test_a_document_of_before_that_is_odd_does_no_harm(before: Any) -> None:
    assert document((X64,), NOW, before) == document((X64,), NOW)
