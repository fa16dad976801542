"""What cloud-init does in a machine: what its template has it do, and beside that keys and the end of its life.

User data that is given at a launch replaces the template's, so both are put together here, as a MIME multipart
message: cloud-init handles each of its parts as if it stood alone. Sources: cloud-init's documentation, "User-data
formats" and "Merging user-data sections"; cloudinit/user_data.py and cloudinit/handlers/cloud_config.py of 22.4.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart

from slipway.bot.core.errors import UserError

LONGEST = 16_384
"""The most bytes of user data, before base64. Source: EC2 User Guide, "Run commands on your instance at launch".
Azure takes more of custom data."""

_GZIP = b"\x1f\x8b"
_MOST_UNPACKED = 1_048_576
_MIME = b"mime-version:"
_MIME_WITHIN = 4096  # where cloud-init looks for it

_AS_IT_IS = policy.compat32.clone(mangle_from_=False, max_line_length=None)

_USERS = re.compile(rb"^users:", re.MULTILINE)
_DEFAULT_USER = re.compile(rb"^\s*-\s*['\"]?default['\"]?\s*(?:#.*)?$|^users:.*\bdefault\b", re.MULTILINE)

# cloud-init lets a later part replace what an earlier one says of the same key, unless the later part says otherwise.
_MERGE = "list(append)+dict(no_replace,recurse_list)+str()"


@dataclass(frozen=True)
class Part:
    """Something for cloud-init to do.

    Attributes:
        kind: its type, such as ``cloud-config``, of ``text/…``.
        name: the name of the file that it comes as.
        text: what is done, with the first line by which cloud-init knows it.
        merges: how it is merged with other parts of its kind; empty for cloud-init's usual way.
    """

    kind: str
    name: str
    text: str
    merges: str = ""


def keys_part(lines: Sequence[str]) -> Part:
    """Let people in by these public keys, as the image's own user, beside whoever the template lets in."""
    config = json.dumps({"ssh_authorized_keys": list(lines)})  # JSON is YAML
    return Part("cloud-config", "slipway-keys.cfg", f"#cloud-config\n{config}\n", _MERGE)


def timer_part(ends_at: datetime) -> Part:
    """Shut the machine down at the end of its whole life, at every boot anew: systemd forgets such timers.

    A boot hook, as those alone are run at every boot.
    """
    moment = ends_at.astimezone(UTC)
    text = f"""#cloud-boothook
#!/bin/sh
# The longest that this machine may live. Whoever launched it can give it less in the chat, and nobody more.
left=$(( {int(moment.timestamp())} - $(date +%s) ))
if [ "$left" -le 0 ]; then
  exec systemctl --no-block poweroff
fi
systemd-run --unit=slipway-end --on-active="$left" systemctl poweroff ||
  shutdown -P "+$(( (left + 59) / 60 ))"
"""
    return Part("cloud-boothook", "slipway-end.sh", text)


def merged(template: bytes, parts: Sequence[Part]) -> bytes:
    """What the template has cloud-init do, and these parts beside it; the template's own where there are none.

    Raises:
        UserError: it is longer than clouds take, or the template's cannot be read.
    """
    if not parts:
        return template
    # The same for the same launch, as one token stands for one request; and in none of the template's own lines.
    boundary = f"=====slipway-{hashlib.sha256(template).hexdigest()[:32]}"
    message = MIMEMultipart("mixed", boundary=boundary)
    for kept in _parts_of(template):
        message.attach(kept)
    for part in parts:
        message.attach(_mime(part))
    found = message.as_bytes(policy=_AS_IT_IS)
    if len(found) > LONGEST:
        found = gzip.compress(found, mtime=0)  # which cloud-init unpacks
    if len(found) > LONGEST:
        raise UserError(
            f"What the machine is to do at its start takes {len(found):,} bytes with your keys, and clouds take "
            f"{LONGEST:,}; use fewer keys, or a profile whose template has less user data.",
            hint="profiles",
        )
    return found


def forgets_default_user(template: bytes) -> bool:
    """Whether a template makes users of its own and leaves the image's out, whom the keys are for."""
    for part in _parts_of(template):
        text = _payload(part)
        config = text.startswith(b"#cloud-config") and not text.startswith(b"#cloud-config-")
        if config and _USERS.search(text) and not _DEFAULT_USER.search(text):
            return True
    return False


def _mime(part: Part) -> Message:
    found = MIMENonMultipart("text", part.kind, charset="utf-8")
    found.set_payload(part.text, "utf-8")
    found.add_header("Content-Disposition", "attachment", filename=part.name)
    if part.merges:
        found.add_header("Merge-Type", part.merges)
    return found


def _parts_of(template: bytes) -> Iterator[Message]:
    """The parts of a template's user data, whatever form it has, each with its own headers."""
    plain = _unpacked(template)
    if not plain.strip():
        return
    if _MIME in plain[:_MIME_WITHIN].lower():
        for part in message_from_bytes(plain).walk():
            if part.get_content_maintype() != "multipart":
                yield _without_length(part)
        return
    found = MIMENonMultipart("text", "plain")  # cloud-init tells by its first line what it is
    try:
        found.set_payload(plain.decode(), "utf-8")
    except UnicodeDecodeError:
        raise UserError(
            "The user data of the launch template is neither text nor gzip, so nothing can be added to it; "
            "launch with `--no-ssh`, or use another profile.",
            hint="profiles",
        ) from None
    yield found


def _without_length(part: Message) -> Message:
    del part["Content-Length"]
    return part


def _payload(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unpack.decompress(data, _MOST_UNPACKED)
    except zlib.error as error:
        raise UserError(f"The user data of the launch template is broken gzip ({error}).") from error
    if not unpack.eof and not unpack.unconsumed_tail:
        raise UserError("The user data of the launch template is broken gzip (it ends too early).")
    if unpack.unconsumed_tail:
        raise UserError(
            f"The user data of the launch template unpacks to more than {_MOST_UNPACKED:,} bytes."
        )
    return found
