"""Dates of TLS certificates, by asking a server or reading a file. Nothing of a private key is read or kept."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slipway.bot.subjects.credentials.model import UnreadableError

_MOST_BYTES = 1024 * 1024
"""A bundle of certificates is smaller; what is larger is something else."""

TIMEOUT_SECONDS = 15.0
"""How long a server may take to show its certificate."""


@dataclass(frozen=True)
class CertificateDates:
    """What is known of a certificate.

    Attributes:
        fingerprint: of the first one, which is the server's own.
        starts_at: from when the first one counts.
        ends_at: when the first of the chain ends: nobody accepts the rest without it.
    """

    fingerprint: str
    starts_at: datetime
    ends_at: datetime


async def certificate_of_server(host: str, port: int) -> CertificateDates:
    """What a server shows to whoever connects. It is not verified: its date is all that is read, and nothing is sent.

    The server's own certificate alone: Python tells the chain of one that it does not verify from 3.13 on.

    Raises:
        UnreadableError: it cannot be reached, or shows none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED  # an old server's certificate ends, too
    context.set_ciphers("ALL:@SECLEVEL=0")
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
            try:
                found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.close()
    except TimeoutError:
        raise UnreadableError(f"{where} did not answer within {TIMEOUT_SECONDS:.0f} seconds.") from None
    except ssl.SSLError as error:
        raise UnreadableError(f"{where} speaks no TLS that shows a certificate ({error.reason}).") from None
    except ValueError:  # what can be no name of a host, such as one with a part of more than 63 letters
        raise UnreadableError(f"{where} is no address that can be asked.") from None
    except OSError as error:
        raise UnreadableError(f"{where} cannot be reached: {_why(error)}.") from None
    if not found:
        raise UnreadableError(f"{where} shows no certificate.")
    return await asyncio.to_thread(_dates_of_der, found, where)


def _why(error: OSError) -> str:
    """What kept a connection from being made, in the system's words: asyncio's own name every address."""
    if isinstance(error, socket.gaierror):
        return error.strerror or "its name is not known"
    if error.errno:
        return os.strerror(error.errno)
    if error.args:
        return "none of its addresses answers"
    return "it hung up before it showed a certificate, as one that wants its callers' certificates may"


async def certificate_of_file(path: Path) -> CertificateDates:
    """What a file of PEM holds, in whatever text.

    Raises:
        UnreadableError: it cannot be read, or holds none. Its path is not told: the room need not know it.
    """
    return await asyncio.to_thread(_dates_of_file, path)


def _dates_of_file(path: Path) -> CertificateDates:
    from cryptography import x509

    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"Its file cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise UnreadableError("Its file is larger than any that holds certificates.")
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise UnreadableError("Its file holds no certificate in PEM that can be read.") from None
    return _dates(found)


def _dates_of_der(content: bytes, where: str) -> CertificateDates:
    from cryptography import x509

    try:
        return _dates([x509.load_der_x509_certificate(content)])
    except ValueError:
        raise UnreadableError(f"{where} shows a certificate that cannot be read.") from None


def _dates(chain: Sequence[object]) -> CertificateDates:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    held = [each for each in chain if isinstance(each, x509.Certificate)]
    first = held[0]
    return CertificateDates(
        fingerprint=first.fingerprint(SHA256()).hex(),
        starts_at=first.not_valid_before_utc,
        ends_at=min(each.not_valid_after_utc for each in held),
    )
