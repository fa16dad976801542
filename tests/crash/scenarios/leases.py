"""Killed while people or the clock change until when machines live, whose they are, and whether they run."""

from __future__ import annotations

import sqlite3
from abc import abstractmethod
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.crash.clouds import TIMEOUT_SECONDS, CrashFaults, CrashTiming
from tests.crash.installation import Installation, Row, until
from tests.crash.scenario import Scenario, at_commits, at_requests
from tests.support.aws import boto3_client

BEFORE, AFTER, LATE = CrashTiming


class LeaseScenario(Scenario):
    """About one machine of alice's that carries the deployment's tag; no approval needed."""

    approved = False

    adopted = True
    """Whether it is taken in before."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self._ec2 = boto3_client(installation.clouds.aws.url)
        self.machine = self._launched()
        if self.adopted:
            installation.bot.skip_output()
            installation.bot.say(f"@admin: !instance adopt {self.machine} --for 2h")
            until("the machine is known", lambda: bool(self._rows()))
            installation.settle()
        self.prepare()

    def prepare(self) -> None:
        """What has to be so before the command."""

    @property
    def faults(self) -> CrashFaults:
        """EC2's."""
        return self.installation.clouds.aws_faults

    @property
    def stored(self) -> Row:
        """What is stored of the machine."""
        (row,) = self._rows()
        return row

    @property
    def instance(self) -> dict[str, Any]:
        """The machine, as EC2 has it."""
        held = self.installation.clouds.machines(self.installation.deployment)
        (found,) = [each for each in held if each["id"] == self.machine]
        return found

    @abstractmethod
    def check(self) -> None:
        """Fail unless it is as wished."""

    def calls(self, action: str) -> int:
        """How often EC2 was asked to do something."""
        return sum(entry.label == action for entry in self.installation.clouds.aws.requests)

    def _rows(self) -> list[Row]:
        return self.installation.rows("SELECT * FROM machine WHERE instance_id = ?", self.machine)

    def _launched(self) -> str:
        """A machine with the tags of a launch, of which nothing is stored."""
        cap = datetime.now(UTC) + timedelta(days=7)
        tags = {
            "slipway": self.installation.deployment,
            "slipway:owner": "alice",
            "slipway:profile": "small",
            "slipway:until": f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "slipway:cap": f"{cap:%Y-%m-%dT%H:%M:%SZ}",
        }
        answer = self._ec2.run_instances(
            ImageId=self.installation.clouds.seed.images[0].id,
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
            ],
        )
        return str(answer["Instances"][0]["InstanceId"])


class Extension(LeaseScenario):
    """It lives an hour longer, and no two."""

    kind = "extend"
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 6, 7, 8), *at_requests(LATE, 3))

    def prepare(self) -> None:
        """Until when it was to live."""
        self._before = datetime.fromisoformat(self.stored["lease_ends_at"])

    @property
    def command(self) -> str:
        """``!extend i-… --for 1h``."""
        return f"!extend {self.machine} --for 1h"

    def check(self) -> None:
        """An hour more, stored once."""
        assert datetime.fromisoformat(self.stored["lease_ends_at"]) == self._before + timedelta(hours=1)
        assert self.stored["revision"] == 2


class GivenAway(LeaseScenario):
    """It becomes bob's."""

    kind = "handover"
    shown_by = "extend"
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 7, 8), *at_requests(LATE, 3))

    @property
    def command(self) -> str:
        """``!handover i-… --to bob``."""
        return f"!handover {self.machine} --to bob"

    def check(self) -> None:
        """His, stored once."""
        assert (self.stored["owner"], self.stored["revision"]) == ("bob", 2)


class Rest(LeaseScenario):
    """It is stopped."""

    kind = "stop"
    points = (*at_requests(AFTER, 4), *at_requests(LATE, 4), *at_commits(BEFORE, 7))

    @property
    def command(self) -> str:
        """``!stop i-…``."""
        return f"!stop {self.machine}"

    def check(self) -> None:
        """It rests, and that is stored."""
        assert self.instance["state"] == "stopped"
        assert self.stored["stopped_at"] is not None


class Wake(LeaseScenario):
    """It is started again."""

    kind = "start"
    shown_by = "stop"
    points = (*at_requests(AFTER, 4), *at_requests(LATE, 4), *at_commits(BEFORE, 7))

    def prepare(self) -> None:
        """It rests."""
        self._ec2.stop_instances(InstanceIds=[self.machine])

    @property
    def command(self) -> str:
        """``!start i-…``."""
        return f"!start {self.machine}"

    def check(self) -> None:
        """It runs, and no rest is stored."""
        assert self.instance["state"] == "running"
        assert self.stored["stopped_at"] is None


class Adoption(LeaseScenario):
    """It is taken in."""

    kind = "instance-adopt"
    shown_by = "extend"
    adopted = False
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 7, 8), *at_requests(LATE, 3))

    @property
    def command(self) -> str:
        """``!instance adopt i-…``, by who may."""
        return f"@admin: !instance adopt {self.machine}"

    def check(self) -> None:
        """Known as alice's, once."""
        assert (self.stored["owner"], self.stored["ended_at"]) == ("alice", None)
        assert self.instance["tags"]["slipway:owner"] == "alice"


class Expiry(LeaseScenario):
    """Its time is up, and it is ended."""

    kind = "expire"
    shown_by = "terminate"
    points = (*at_requests(AFTER, 4), *at_requests(LATE, 4), *at_commits(AFTER, 9))

    def prepare(self) -> None:
        """Its time is up, and the bot's own look, which would ask for the same, passes it over for now."""
        database = self.installation.state / "slipway.db"
        with closing(sqlite3.connect(database, timeout=TIMEOUT_SECONDS)) as connection, connection:
            connection.execute(
                "UPDATE machine SET lease_ends_at = ?, next_attempt_at = ? WHERE instance_id = ?",
                ("2026-01-01 00:00:00.000000", "2100-01-01 00:00:00.000000", self.machine),
            )

    @property
    def command(self) -> str:
        """``!terminate i-… --overdue``."""
        return f"!terminate {self.machine} --overdue"

    def check(self) -> None:
        """Gone, and that is stored."""
        assert self.instance["state"] == "terminated"
        assert self.stored["ended_at"] is not None


class Leftovers(LeaseScenario):
    """A disk without a machine is removed."""

    kind = "remove-leftovers"
    adopted = False
    points = (*at_requests(AFTER, 9), *at_requests(BEFORE, 9), *at_commits(BEFORE, 7))

    def prepare(self) -> None:
        """There is one."""
        tags = [{"Key": "slipway", "Value": self.installation.deployment}]
        made = self._ec2.create_volume(
            AvailabilityZone="us-east-1a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
        )
        self._volume = made["VolumeId"]

    @property
    def command(self) -> str:
        """``!terminate --leftovers``."""
        return "!terminate --leftovers"

    def check(self) -> None:
        """It is gone, and the machine is not."""
        assert self._volume not in {each["VolumeId"] for each in self._ec2.describe_volumes()["Volumes"]}
        assert self.instance["state"] == "running"
