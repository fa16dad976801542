"""What the front answers itself, as quotas, of which moto has only those of networks; and what it adds to answers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping

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


def with_health(answer: bytes, states: Mapping[str, str]) -> bytes:
    """The answer to DescribeInstanceStatus, with these states of the checks of machines by their ids."""
    for machine, state in states.items():
        detail = {"impaired": b"failed", "initializing": b"initializing"}.get(state, b"passed")
        one = rb"<instanceId>" + machine.encode() + rb"</instanceId>.*?(?=<instanceId>|\Z)"
        about = re.compile(one, re.DOTALL)
        found = about.search(answer)
        if found is not None:
            told = found[0].replace(b"<status>ok<", b"<status>%s<" % state.encode())
            told = told.replace(b"<status>passed<", b"<status>%s<" % detail)
            answer = answer.replace(found[0], told)
    return answer
