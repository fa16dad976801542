"""Codes as RFC 6238 has them, and what in a text is one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from slipway.bot.core.totp import (
    address,
    check_secret,
    code_at,
    code_in,
    codes_within,
    matching_step,
    new_secret,
    split_code,
    step_at,
)

RFC_SECRET = SecretStr(base64.b32encode(b"12345678901234567890").decode())
RFC_CODES = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
"""RFC 6238, appendix B: the last six of the eight digits for SHA-1."""


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES.items())
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert matching_step(RFC_SECRET, code, now, 0) == step_at(now)


@given(st.integers(-3, 3), st.integers(0, 3), st.integers(60, 2**32))
def test_a_code_counts_within_the_window_and_no_farther(away: int, window: int, seconds: int) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    step = max(step_at(now) + away, 0)
    found = matching_step(RFC_SECRET, code_at(RFC_SECRET, step), now, window)
    if abs(step - step_at(now)) <= window:
        assert found is not None
        assert found >= step
    else:
        assert found != step


def test_a_code_is_another_one_by_another_secret() -> None:
    now, secret = datetime.fromtimestamp(59, UTC), new_secret()
    assert secret.get_secret_value() not in repr(secret) + str(secret)
    own = code_at(secret, step_at(now + timedelta(days=1)))
    assert matching_step(secret, own, now + timedelta(days=1), 0) is not None
    assert address(secret, "alice", "slipway").get_secret_value().startswith("otpauth://totp/slipway:alice?")


@pytest.mark.parametrize("text", ["123456", " 123 456\n", "123-456", "123\u00a0456"])
def test_a_message_that_is_a_code_is_read(text: str) -> None:
    assert code_in(text) == "123456"


@pytest.mark.parametrize(
    "text", ["12345", "1234567", "123456 please", "12 34 56", "", "\uff11\uff12\uff13\uff14\uff15\uff16"]
)
def test_a_message_that_is_none_is_not(text: str) -> None:
    assert code_in(text) is None


def test_what_may_be_a_code_in_what_others_see_is_found_wherever_it_stands() -> None:
    text = "op-7k3f: 123456, or code=654 321; not 20261120 nor 43.20261101.0"
    assert list(codes_within(text)) == ["123456", "654321"]


def test_a_code_is_told_from_names_and_versions_in_a_line() -> None:
    assert split_code("approve op-7k3f 123456 looks good") == ("123456", "approve op-7k3f looks good")
    assert split_code("approve op-7k3f built as ami-123456, build/123456, 43.123456.0") is None


@pytest.mark.parametrize("text", ["", "no base32: 0189", "MFRGG", "MFRGGZDF" * 3])
def test_what_is_no_secret_is_refused_without_a_letter_of_it(text: str) -> None:
    with pytest.raises(ValueError, match="slipway totp new") as caught:
        check_secret(text)
    assert not text or text not in str(caught.value)


def test_a_secret_is_taken_as_apps_show_it() -> None:
    check_secret("jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp")
