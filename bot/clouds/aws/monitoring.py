"""What EC2 and CloudWatch tell of a machine: its console, its status checks, how much it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_text
from slipway.bot.clouds.machine_model import Activity, Health, HealthState
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import system_clock

_PERIOD = 300  # seconds: what EC2 measures without detailed monitoring
_METRICS = (("CPUUtilization", "Average"), ("NetworkIn", "Sum"), ("NetworkOut", "Sum"))
_AT_ONCE = 500 // len(_METRICS)  # GetMetricData takes 500 queries

_CHECKED_AT_ONCE = 100  # DescribeInstanceStatus takes no more ids
_CHECKS = {"InstanceStatus": "instance status check", "SystemStatus": "system status check"}

_NOT_ITS_KIND = "UnsupportedOperation"


class Monitoring:
    """Looks at machines in one region."""

    def __init__(
        self, account: AwsAccount, region: str, clock: Callable[[], datetime] = system_clock
    ) -> None:
        self._account = account
        self._region = region
        self._clock = clock

    async def console_output(self, instance_id: str) -> str:
        """The newest 64 KiB of a machine's console; of a machine that is not of the Nitro kind, what it had when it
        started or rebooted last. Empty where there is none yet. Source: EC2 API reference, GetConsoleOutput."""
        try:
            return await self._console(instance_id, latest=True)
        except CloudError as error:
            if error.code != _NOT_ITS_KIND:
                raise
            return await self._console(instance_id, latest=False)

    async def _console(self, instance_id: str, *, latest: bool) -> str:
        return await self._account.calls(self._region).call(
            self._account.request(f"show the console of {instance_id}"),
            "get_console_output",
            lambda answer: str(answer.get("Output") or ""),
            InstanceId=instance_id,
            **({"Latest": True} if latest else {}),
        )

    async def health(self, instance_ids: Sequence[str]) -> Mapping[str, Health]:
        """What the status checks say, of machines that run."""
        found: dict[str, Health] = {}
        for start in range(0, len(instance_ids), _CHECKED_AT_ONCE):
            ids = list(instance_ids[start : start + _CHECKED_AT_ONCE])
            which = ids[0] if len(ids) == 1 else f"{len(ids)} machines"
            found |= await self._account.calls(self._region).call(
                self._account.request(f"show the status of {which}"),
                "describe_instance_status",
                lambda answer: dict(_health(each) for each in read_list(answer, "InstanceStatuses")),
                InstanceIds=ids,
            )
        return found

    async def activity(self, instance_ids: Sequence[str], during: timedelta) -> Mapping[str, Activity]:
        """What each of these did lately; one of which nothing was measured is left out."""
        now = self._clock()
        found: dict[str, Activity] = {}
        for start in range(0, len(instance_ids), _AT_ONCE):
            found |= await self._activity(instance_ids[start : start + _AT_ONCE], now - during, now)
        return found

    async def _activity(self, ids: Sequence[str], since: datetime, until: datetime) -> dict[str, Activity]:
        queries = [
            {
                "Id": f"q{place}_{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/EC2",
                        "MetricName": name,
                        "Dimensions": [{"Name": "InstanceId", "Value": instance_id}],
                    },
                    "Period": _PERIOD,
                    "Stat": stat,
                },
            }
            for place, instance_id in enumerate(ids)
            for number, (name, stat) in enumerate(_METRICS)
        ]
        results = await self._account.calls(self._region, "cloudwatch").pages(
            self._account.request("show what machines did"),
            "get_metric_data",
            lambda page: [_values(each) for each in read_list(page, "MetricDataResults")],
            page_size=0,
            MetricDataQueries=queries,
            StartTime=since,
            EndTime=until,
        )
        values: dict[str, list[float]] = {}
        for name, measured in results:  # a query may go on, on the next page
            values.setdefault(name, []).extend(measured)
        found = {}
        for place, instance_id in enumerate(ids):
            cpu, received, sent = (values.get(f"q{place}_{number}", []) for number in range(len(_METRICS)))
            if cpu or received or sent:
                traffic = sum(received) + sum(sent) if received or sent else None
                found[instance_id] = Activity(max(cpu) if cpu else None, traffic)
        return found


def _health(response: Response) -> tuple[str, Health]:
    """A machine's id, and what its two checks say. Source: EC2 API reference, InstanceStatusSummary."""
    states, failed = set(), []
    for name, check in _CHECKS.items():
        found = response.get(name)
        if not isinstance(found, dict):
            raise UnexpectedResponseError(name)
        state = read_text(found, "Status")
        states.add(state)
        if state == "impaired":
            which = [f"{each.get('Name')} {each.get('Status')}" for each in found.get("Details") or ()]
            failed.append(f"{check}: {', '.join(which) or state}")
    if failed:
        health = Health(HealthState.FAILED, "; ".join(failed))
    else:
        health = Health(HealthState.PASSED if states == {"ok"} else HealthState.UNKNOWN)
    return read_text(response, "InstanceId"), health


def _values(response: Response) -> tuple[str, list[float]]:
    found = response.get("Values")
    if not isinstance(found, list):
        raise UnexpectedResponseError("Values")
    return read_text(response, "Id"), [float(each) for each in found]
