"""What the front answers itself: quotas, which moto has only of networks, and a console as cloud-init writes it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from hashlib import sha256

from aiohttp import web

STANDARD_QUOTA = "L-1216C47A"
"""Of running on-demand machines of the standard families, in vCPUs."""

_NAMES = {STANDARD_QUOTA: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"}
_JSON = "application/x-amz-json-1.1"
_OUTPUT = re.compile(rb"<output>[^<]*</output>|<output\s*/>")


def quota_answer(quotas: Mapping[str, float], body: bytes) -> web.Response:
    """The answer to GetServiceQuota. Source: Service Quotas API reference, GetServiceQuota."""
    asked = json.loads(body or b"{}")
    code = str(asked.get("QuotaCode"))
    if asked.get("ServiceCode") != "ec2" or code not in quotas:
        refused = {"__type": "NoSuchResourceException", "Message": "The specified resource does not exist."}
        return web.Response(body=json.dumps(refused), status=400, content_type=_JSON)
    quota = {
        "ServiceCode": "ec2",
        "QuotaCode": code,
        "QuotaName": _NAMES.get(code, code),
        "Value": quotas[code],
        "Unit": "None",
        "Adjustable": True,
    }
    return web.Response(body=json.dumps({"Quota": quota}), content_type=_JSON)


def with_console(answer: bytes, text: str) -> bytes:
    """The answer to GetConsoleOutput with this text in it."""
    encoded = base64.b64encode(text.encode())
    return _OUTPUT.sub(b"<output>" + encoded + b"</output>", answer)


def console_text(instance_id: str) -> str:
    """What a machine of Fedora writes there until people may log in, with host keys of its own."""
    key = base64.b64encode(sha256(instance_id.encode()).digest()).decode().rstrip("=")
    lines = (
        "[    0.000000] Linux version 6.17.7-300.fc43.x86_64",
        "cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----",
        f"cloud-init: 256 SHA256:{key} root@{instance_id} (ED25519)",
        "cloud-init: -----END SSH HOST KEY FINGERPRINTS-----",
        "Cloud-init finished.",
        "Fedora Linux 43 (Cloud Edition)",
        "ip-10-0-0-7 login: ",
    )
    return "\r\n".join(lines)
