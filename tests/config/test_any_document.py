"""Whatever stands in slipway.toml, the answer is settings or a list of problems, never a crash."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError
from tests.support.configuration import SECRETS, settings_of, valid_document
from tests.support.examples import examples

_PLAIN = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.datetimes(),
    st.dates(),
    st.just(datetime.time(9)),
    st.sampled_from(["releng", "alice", "matrix:@a:b", "console:alice", "3h", "cleanup", "http://[", "*"]),
)


def _keys(document: object) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(_keys, document.values()))
    return set().union(*map(_keys, document)) if isinstance(document, list) else set()


_KEY = st.one_of(
    st.sampled_from(sorted(_keys(valid_document()) | set(SlipwaySettings.model_fields))), st.text(max_size=8)
)
_VALUE = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEY, inner, max_size=4)),
    max_leaves=12,
)
_DOCUMENT = st.dictionaries(_KEY, _VALUE, max_size=8)


def _is_told(document: dict[str, Any]) -> None:
    problems: tuple[str, ...] = ("nothing: wrong",)
    try:
        settings_of(document, SECRETS)
    except ConfigError as error:
        problems = error.problems
    assert problems
    assert all(problem.isprintable() and ": " in problem for problem in problems)


@given(_DOCUMENT)
def test_any_document_is_understood_or_explained(document: dict[str, Any]) -> None:
    _is_told(document)


@given(st.data())
@settings(max_examples=examples(150))
def test_a_good_document_with_a_few_wrong_values_is_explained(data: st.DataObject) -> None:
    document: Any = valid_document()
    for _ in range(data.draw(st.integers(1, 4))):
        here = document
        while True:
            if isinstance(here, dict):
                key: Any = data.draw(st.one_of(st.sampled_from(sorted(here)), _KEY) if here else _KEY)
                deeper = here.get(key)
            else:
                key = data.draw(st.integers(0, len(here) - 1))
                deeper = here[key]
            if deeper and isinstance(deeper, dict | list) and data.draw(st.booleans()):
                here = deeper
                continue
            here[key] = data.draw(_VALUE)
            break
    _is_told(document)


def test_a_very_deep_document_is_explained() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = {"roles": deep}
    _is_told(valid_document() | {"roles": deep})
