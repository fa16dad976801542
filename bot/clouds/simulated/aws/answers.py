"""What the front answers itself, as quotas, of which moto has only those of networks, and
instance refreshes, of which it has none; and what it adds to answers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

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


@dataclass(frozen=True)
class InstanceRefresh:
    """A refresh of an Auto Scaling group's machines.

    Attributes:
        template: the name of the launch template that it brings the group to; empty where it keeps the group's.
        version: which version of it.
        status: in the words of Auto Scaling.
    """

    template: str
    version: str
    status: str = "InProgress"


def refreshes_answer(group: str, refreshes: Iterable[InstanceRefresh]) -> bytes:
    """The answer to DescribeInstanceRefreshes about a group.

    Source: Amazon EC2 Auto Scaling API reference, DescribeInstanceRefreshes.
    """
    members = "".join(
        f"<member><AutoScalingGroupName>{escape(group)}</AutoScalingGroupName><InstanceRefreshId>{number}"
        f"</InstanceRefreshId><Status>{each.status}</Status>{_desired(each)}</member>"
        for number, each in enumerate(refreshes)
    )
    return (
        '<DescribeInstanceRefreshesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">'
        f"<DescribeInstanceRefreshesResult><InstanceRefreshes>{members}</InstanceRefreshes>"
        "</DescribeInstanceRefreshesResult></DescribeInstanceRefreshesResponse>"
    ).encode()


def _desired(refresh: InstanceRefresh) -> str:
    if not refresh.template:
        return ""
    return (
        f"<DesiredConfiguration><LaunchTemplate><LaunchTemplateName>{escape(refresh.template)}</LaunchTemplateName>"
        f"<Version>{refresh.version}</Version></LaunchTemplate></DesiredConfiguration>"
    )


def with_console(answer: bytes, text: str) -> bytes:
    """The answer to GetConsoleOutput with this text in it."""
    encoded = base64.b64encode(text.encode())
    return _OUTPUT.sub(b"<output>" + encoded + b"</output>", answer)


def with_health(answer: bytes, states: Mapping[str, str]) -> bytes:
    """The answer to DescribeInstanceStatus, with these states of the checks of machines by their ids; ``*`` stands
    for all that are not named."""
    others = states.get("*")
    if others is not None:
        every = {machine.decode() for machine in re.findall(rb"<instanceId>([^<]*)</instanceId>", answer)}
        states = {**dict.fromkeys(sorted(every), others), **states}
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
