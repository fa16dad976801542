"""A cloud's own words for why it did not do something, made fit to be shown: one line, without secrets or blobs.

They come from outside, so they are cleaned wherever they come in: by :class:`slipway.bot.core.errors.CloudError`.
"""

from __future__ import annotations

import re
from itertools import pairwise

LONGEST_REASON = 300
"""Characters of a reason that are kept: what a person reads on a phone; the whole stands in the cloud's own trail."""

_MASK = "[…]"
_LONGEST_READ = 2_000  # of what a cloud sent, only this much is looked at

# Repetitions are bounded, as what is read comes from outside: nothing written there may take long to read.
_SIGNED_URL = re.compile(
    r"(\b[a-z][a-z0-9+.-]{0,15}://[^\s?\"'<>]*)\?(?:[^\s\"'<>]*&)?"
    r"(?:sig|signature|code|key|token|secret|password|credential|x-amz-[a-z-]{1,40}|[a-z_]{0,20}_(?:key|token|secret))="
    r"[^\s\"'<>]*",
    re.IGNORECASE,
)
_CREDENTIALS_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{0,15}://)[^\s/@]{0,200}@", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"(\b[\w-]{0,24}(?:secret|password|passwd|pwd|passphrase|credential|signature|token|sig"
    r"|(?:account|access|api|private|shared)[_-]?key)\b"
    r"[\"']?\s*[=:]\s*[\"']?|\b[\w-]{0,24}(?:client[_-]?secret|password|passphrase)\s+[\"'])[^\s\"',;&]+",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"\b(Bearer|Basic|SharedKey|AWS4-HMAC-SHA256)\s+(?=\S{0,200}[\d=.])\S{8,}", re.IGNORECASE
)
_AUTHORIZATION = re.compile(
    r"(\bauthorization[\"']?\s*[=:]\s*[\"']?(?:Basic|Bearer|Digest|Negotiate|SharedKey(?:Lite)?)\s+)[^\s\"',;]+",
    re.IGNORECASE,
)
_CLIENT_SECRET = re.compile(r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{20,}")
"""What Microsoft Entra gives applications as secrets since 2021."""
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|$)")
_ACCESS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")
_WEB_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*")

_RUN = re.compile(r"[A-Za-z0-9+/=_-]{32,}")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLAIN_SEGMENT = re.compile(r"[a-z-]*|[A-Za-z]?[a-z]+(?:[A-Z][a-z]+)*|[a-z]{1,12}-[0-9a-f]{8,17}")
_LEAST_OF_A_BLOB = 20
_CHANGES_OF_A_BLOB = 0.3


def clean_reason(text: str) -> str:
    """One printable line of at most :data:`LONGEST_REASON` characters, with secrets and encoded blobs masked.

    Ids, ARNs, names of resources and GUIDs stay: they are what the reader needs. Whatever looks like a key, a
    signature, a token, or a long run of mixed letters and digits does not. Backticks become apostrophes, since
    they would set what follows as code.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in text[:_LONGEST_READ]).split())
    line = _CLIENT_SECRET.sub(_MASK, _PEM.sub(_MASK, line))
    line = _CREDENTIALS_IN_URL.sub(rf"\1{_MASK}@", _SIGNED_URL.sub(rf"\1?{_MASK}", line))
    line = _AUTHORIZATION.sub(rf"\1{_MASK}", line)
    line = _NAMED_SECRET.sub(rf"\1{_MASK}", _BEARER.sub(rf"\1 {_MASK}", line))
    line = _WEB_TOKEN.sub(_MASK, _ACCESS_KEY_ID.sub(_MASK, line))
    line = _RUN.sub(lambda found: _MASK if _is_blob(found[0]) else found[0], line)
    return _shortened(line.replace("`", "'").strip())


def with_reason(sentence: str, reason: str) -> str:
    """Our words, and the cloud's own beside them, told apart by quotation marks."""
    return f"{sentence} {reason_in_words(reason)}" if reason else sentence


def reason_in_words(reason: str) -> str:
    """The cloud's own words as a sentence of ours."""
    return f"The cloud says: “{reason}”"


def _is_blob(run: str) -> bool:
    """Whether a run is encoded rather than written: it changes between small, capital and digit all the time.

    Random base64 changes at six of ten places, random hexadecimals at five; names of images, such as
    ``Fedora-Cloud-Base-UEFI-UKI-x86_64-43-20261110``, at two. Words, ids and GUIDs between slashes do not count.
    """
    segments = _GUID.sub("", run).split("/")
    rest = "".join(each for segment in segments if not _PLAIN_SEGMENT.fullmatch(segment) for each in segment)
    letters = [each for each in rest if each.isalnum()]
    if len(letters) < _LEAST_OF_A_BLOB:
        return False
    kinds = [each.isdigit() + 2 * each.isupper() for each in letters]
    changes = sum(before != after for before, after in pairwise(kinds))
    return changes / len(letters) >= _CHANGES_OF_A_BLOB


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_REASON:
        return line
    cut = line[: LONGEST_REASON - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > LONGEST_REASON // 2 else cut).rstrip(" ,;:") + "…"
