"""Certificates by their servers and files: dates alone, and why there are none."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.subjects.credentials import certificates
from slipway.bot.subjects.credentials.certificates import certificate_of_file, certificate_of_server
from slipway.bot.subjects.credentials.model import UnreadableError
from tests.support.certificates import certificate, ends_of, tls_server
from tests.support.clock import DAY


async def test_a_server_is_asked_for_its_certificate_and_nothing_is_believed_but_its_date(
    tmp_path: Path,
) -> None:
    made = certificate(left=-3 * DAY)  # one that nobody would accept
    async with tls_server(made.context(tmp_path)) as port:
        found = await certificate_of_server("127.0.0.1", port)
    assert found.ends_at == ends_of(-3 * DAY)
    assert found.ends_at - found.starts_at == 200 * DAY


@pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")
async def test_an_old_server_is_read_and_one_that_wants_its_callers_certificates_says_so(
    tmp_path: Path,
) -> None:
    made = certificate(left=9 * DAY)
    context = made.context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
    async with tls_server(context) as port:
        assert (await certificate_of_server("127.0.0.1", port)).ends_at == ends_of(9 * DAY)
    (tmp_path / "authority.pem").write_bytes(made.pem)
    asking = made.context(tmp_path)
    asking.load_verify_locations(tmp_path / "authority.pem")
    asking.verify_mode = ssl.CERT_REQUIRED
    async with tls_server(asking) as port:
        assert (await certificate_of_server("127.0.0.1", port)).ends_at == ends_of(9 * DAY)
    asking.maximum_version = ssl.TLSVersion.TLSv1_2  # which shows nothing to whoever shows none
    async with tls_server(asking) as port:
        with pytest.raises(UnreadableError, match="wants its callers' certificates"):
            await certificate_of_server("127.0.0.1", port)


async def test_two_certificates_are_told_apart(tmp_path: Path) -> None:
    seen = []
    for name in ("before", "after"):
        async with tls_server(certificate(name=name).context(tmp_path)) as port:
            seen.append((await certificate_of_server("127.0.0.1", port)).fingerprint)
    assert seen[0] != seen[1]


async def test_a_server_that_shows_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with tls_server(None) as port:
        with pytest.raises(UnreadableError, match=f"127.0.0.1:{port} speaks no TLS"):
            await certificate_of_server("127.0.0.1", port)
    with pytest.raises(UnreadableError, match=r"cannot be reached: Connection refused\.$"):
        await certificate_of_server("127.0.0.1", port)
    with pytest.raises(
        UnreadableError, match=r"cannot be reached: (Connection refused|none of its addresses)"
    ):
        await certificate_of_server("localhost", port)
    monkeypatch.setattr(certificates, "TIMEOUT_SECONDS", 0.0)
    with pytest.raises(UnreadableError, match="did not answer within 0 seconds"):
        await certificate_of_server("127.0.0.1", port)


@pytest.mark.parametrize("host", [f"{'x' * 64}.example", "a..example"])
async def test_what_can_be_no_host_is_told(host: str) -> None:
    with pytest.raises(UnreadableError, match=r"is no address|cannot be reached"):
        await certificate_of_server(host, 443)


async def test_of_a_chain_in_a_file_the_first_to_end_counts(tmp_path: Path) -> None:
    leaf, authority = certificate(left=90 * DAY, name="leaf"), certificate(left=20 * DAY, name="authority")
    file = tmp_path / "chain.pem"
    file.write_bytes(b"a note\n" + leaf.pem + b"\nanother\n" + authority.pem)
    found = await certificate_of_file(file)
    assert found.ends_at == ends_of(20 * DAY)
    file.write_bytes(leaf.pem)
    assert (await certificate_of_file(file)).fingerprint == found.fingerprint


@pytest.mark.parametrize("content", [b"", b"no certificate", b"x" * (1024 * 1024 + 1), None])
async def test_a_file_that_holds_none_is_told_without_its_path(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "secret-place.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnreadableError) as caught:
        await certificate_of_file(file)
    assert "secret-place" not in caught.value.sentence


async def test_dates_of_far_away_are_read(tmp_path: Path) -> None:
    file = tmp_path / "far.pem"
    file.write_bytes(certificate(left=timedelta(days=365 * 7900), life=timedelta(days=365 * 7910)).pem)
    assert (await certificate_of_file(file)).ends_at.year > 9000
