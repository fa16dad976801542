"""What is looked at before a launch, what it says, and when somebody has to agree."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.ports.image_evidence import IMAGE_EVIDENCE, Evidence
from slipway.bot.clouds.simulated.aws.answers import STANDARD_QUOTA
from slipway.bot.clouds.simulated.aws.simulator import DRY_RUN, SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, DeclarationError, ResponsibleParty, UserError
from slipway.bot.core.interfaces import Interfaces
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.people import Person
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor, LaunchLedger
from slipway.bot.subjects.machines.launching.keys import ChosenKeys, Keys
from slipway.bot.subjects.machines.launching.planner import LaunchPlanner, Requesters
from slipway.bot.subjects.machines.launching.prices import PriceSettings
from slipway.bot.subjects.machines.leases.limits import (
    LimitReachedError,
    LimitSettings,
    Usage,
    Wanted,
    check_limits,
)
from slipway.bot.subjects.machines.leases.model import ReservationState
from slipway.bot.subjects.machines.requests import Launch
from slipway.bot.subjects.machines.settings import Override, ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines
from tests.support.aws import aws_machines, boto3_client, call_in_thread, simulated_aws, unique_name
from tests.support.clock import HOUR, NOW, POLL_AT_ONCE
from tests.support.clouds import accounts
from tests.support.leases import leases_in, unlimited

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMAGE = "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261110.0"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDaFwK6Xv0k2h3cPvW2sS6Zf8sVn7p1m3rQ2u0eY5c1x github:alice#7"
SMALL = ProfileSettings(template="slipway-small", max_count=3, default_for=3 * HOUR, max_for=24 * HOUR)


def person(name: str, *roles: str) -> Person:
    return Person(name, name, (), roles, ZoneInfo("UTC"))


class Recorded:
    """A subject that keeps evidence."""

    async def of(self, image: MachineImage) -> tuple[str, ...]:
        return (f"{image.name} boots", "bad by bob")

    async def record(self, found: Evidence) -> bool:
        raise NotImplementedError

    async def recorded(self, key: str) -> Evidence | None:
        raise NotImplementedError


@dataclass
class Desk:
    """A simulated EC2, and who asks."""

    aws: SimulatedAws
    ec2: AwsMachines
    held: Keys

    def planner(self, *profiles: ProfileSettings, **more: Any) -> LaunchPlanner:
        """For profiles that are called first, second …; ``more`` as for the planner."""

        async def keys(_person: str) -> Keys:
            return self.held

        names = ("first", "second", "third")
        people = {each.id: each for each in (person("alice", "releng"), person("bob"))}
        asks = Requesters(people.get, keys, **more.pop("asks", {}))
        configured = dict(zip(names, profiles or (SMALL,), strict=False))
        return LaunchPlanner(accounts(self.ec2), configured, asks, **more)

    async def plan(
        self, *profiles: ProfileSettings, more: dict[str, Any] | None = None, **asked: Any
    ) -> Draft[Launch]:
        """Plan a launch by the first of these that fits."""
        request = Launch(**{"image": IMAGE, "requester": "alice", **asked})
        return await self.planner(*profiles, **(more or {})).plan(request, NOW)

    async def refused(self, *profiles: ProfileSettings, **asked: Any) -> str:
        with pytest.raises(UserError) as caught:
            await self.plan(*profiles, **asked)
        return caught.value.sentence

    async def template(self, **data: Any) -> ProfileSettings:
        """A profile with a launch template of its own."""
        name = unique_name("template")
        groups = (await self.ec2.template("slipway-small")).fixed[0][1]
        data = {"InstanceType": "t3.small", "SecurityGroupIds": [groups], **data}
        await call_in_thread(
            boto3_client(self.aws.url),
            "create_launch_template",
            LaunchTemplateName=name,
            LaunchTemplateData=data,
        )
        return SMALL.model_copy(update={"template": name})

    async def behind(self, *sources: str) -> ProfileSettings:
        """The same, whose machines are reached by SSH from these ranges."""
        client, name = boto3_client(self.aws.url), unique_name("group")
        made = await call_in_thread(client, "create_security_group", GroupName=name, Description=name)
        rule = {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [{"CidrIp": each} for each in sources],
        }
        if sources:
            await call_in_thread(
                client, "authorize_security_group_ingress", GroupId=made["GroupId"], IpPermissions=[rule]
            )
        return await self.template(SecurityGroupIds=[made["GroupId"]])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as aws:
        yield aws


@pytest_asyncio.fixture(loop_scope="module")
async def desk(_aws: SimulatedAws) -> AsyncIterator[Desk]:
    _aws.faults.clear()
    _aws.quotas = {STANDARD_QUOTA: 1000.0}
    async with aws_machines(_aws.url, regions=("eu-west-1",)) as ec2:
        yield Desk(_aws, ec2, ChosenKeys((KEY,), ("SHA256:abc",)))


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(tmp_path: Path) -> AsyncIterator[LaunchLedger]:
    async with leases_in(tmp_path) as leases:
        yield unlimited(leases)


def step_of(draft: Draft[Launch]) -> LaunchMachines:
    (step,) = draft.steps
    assert isinstance(step, LaunchMachines)
    return step


class TestWhoMustAgree:
    async def test_within_the_profiles_limits_nobody(self, desk: Desk) -> None:
        assert (await desk.plan(count=3, seconds=24 * 3600)).needs_approval == ""

    @pytest.mark.parametrize(
        ("profile", "asked", "why"),
        [
            (
                SMALL,
                {"count": 4},
                "Profile first launches 3 machines at a time without asking, and 4 are asked for.",
            ),
            (
                SMALL,
                {"seconds": 25 * 3600},
                "Profile first launches for 1d without asking, and 1d1h are asked for.",
            ),
            (
                SMALL.model_copy(update={"standing_approval": False}),
                {},
                "Profile first asks for an approval at each launch.",
            ),
        ],
    )
    async def test_beyond_them_somebody(
        self, desk: Desk, profile: ProfileSettings, asked: dict[str, Any], why: str
    ) -> None:
        assert (await desk.plan(profile, **asked)).needs_approval == why


class TestProfiles:
    async def test_a_profile_of_others_is_refused_and_says_whose_it_is(self, desk: Desk) -> None:
        theirs = SMALL.model_copy(update={"may": ("builders", "bob")})
        sentence = await desk.refused(theirs, SMALL, profile="first")
        assert sentence == "Profile first is for builders and bob, and not for alice; you may use second."
        assert step_of(await desk.plan(theirs, SMALL)).profile == "second"  # where nobody names one
        assert step_of(await desk.plan(theirs, requester="bob")).profile == "first"

    async def test_a_role_is_enough(self, desk: Desk) -> None:
        theirs = SMALL.model_copy(update={"may": ("releng",)})
        assert step_of(await desk.plan(theirs, profile="first")).profile == "first"

    async def test_with_no_profile_of_ones_own_nothing_is_launched(self, desk: Desk) -> None:
        theirs = SMALL.model_copy(update={"may": ("builders",)})
        assert "no profile that alice may use" in await desk.refused(theirs)

    async def test_the_type_is_fixed_unless_the_profile_lets_it_be_chosen(self, desk: Desk) -> None:
        assert "fixes the type of its machines" in await desk.refused(instance_type="t3.large")
        free = SMALL.model_copy(update={"overrides": (Override.TYPE,)})
        step = step_of(await desk.plan(free, instance_type="t3.large"))
        assert step.instance_type == "t3.large"
        assert "as t3.large" in step.title

    async def test_another_type_must_run_the_image_too(self, desk: Desk) -> None:
        free = SMALL.model_copy(update={"overrides": (Override.TYPE,)})
        assert "which runs arm64" in await desk.refused(free, profile="first", instance_type="t4g.small")
        assert "no machine type t3.nano9" in await desk.refused(free, instance_type="t3.nano9")

    async def test_a_region_is_one_of_the_profiles(self, desk: Desk) -> None:
        wide = SMALL.model_copy(update={"regions": ("us-east-1", "eu-west-1")})
        sentence = await desk.refused(wide, profile="first", region="eu-west-3")
        assert sentence == "Profile first launches in us-east-1 and eu-west-1, and not in eu-west-3."
        assert "names no regions" in await desk.refused(profile="first", region="eu-west-1")
        assert step_of(await desk.plan(wide)).region == "us-east-1"

        client = boto3_client(desk.aws.url, region="eu-west-1")
        data = {"InstanceType": "t3.small"}
        await call_in_thread(
            client, "create_launch_template", LaunchTemplateName="slipway-small", LaunchTemplateData=data
        )
        draft = await desk.plan(wide, region="eu-west-1", ssh=False)
        assert dict(draft.evidence)["Where"] == "EC2, eu-west-1"
        assert step_of(draft).region == "eu-west-1"


class TestSsh:
    async def test_keys_are_put_in_and_shown_by_their_fingerprints(self, desk: Desk) -> None:
        draft = await desk.plan(await desk.behind("192.0.2.0/24"))
        assert step_of(draft).keys == (KEY,)
        shown = dict(draft.evidence)
        assert shown["Keys"] == "SHA256:abc"
        assert shown["SSH"] == "from 192.0.2.0/24"
        assert draft.warnings == ()

    async def test_where_nobody_could_log_in_it_is_refused(self, desk: Desk) -> None:
        closed = await desk.behind()
        assert "lets nobody reach port 22" in await desk.refused(closed)
        draft = await desk.plan(closed, ssh=False)
        assert step_of(draft).keys == ()
        assert dict(draft.evidence)["SSH"] == "port 22 is closed"
        assert dict(draft.evidence)["Keys"] == "none, nobody is to log in"

    async def test_a_door_that_is_open_to_the_world_is_warned_of(self, desk: Desk) -> None:
        draft = await desk.plan(await desk.behind("0.0.0.0/0"))
        assert draft.warnings == ("Port 22 of these machines is open to the whole world.",)

    async def test_a_template_may_be_named_by_its_id(self, desk: Desk) -> None:
        by_name = await desk.ec2.template("slipway-small")
        draft = await desk.plan(SMALL.model_copy(update={"template": by_name.id}))
        assert dict(draft.evidence)["Template"] == f"slipway-small v{by_name.version}"

    async def test_a_firewall_that_changed_since_makes_the_plan_another(self, desk: Desk) -> None:
        profile = await desk.behind("192.0.2.0/24")
        draft = await desk.plan(profile)
        found = await desk.ec2.template(profile.template_name("first"))
        group = dict(found.fixed)["Security groups"]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        await call_in_thread(
            boto3_client(desk.aws.url),
            "authorize_security_group_ingress",
            GroupId=group,
            IpPermissions=[rule],
        )
        later = await desk.planner(profile).plan(draft.request, NOW)
        assert later.observed != draft.observed

    async def test_somebody_without_keys_is_told_how_to_add_one(self, desk: Desk) -> None:
        desk.held = ChosenKeys()
        assert "`!sshkey add` adds one" in (await desk.plan()).warnings[0]

    async def test_somebody_whose_keys_can_all_not_be_used_is_refused_and_told_why(self, desk: Desk) -> None:
        desk.held = ChosenKeys(
            notes=("The keys of github:alice are left out: GitHub did not answer in time.",)
        )
        refused = await desk.refused()
        assert "nobody could log in: The keys of github:alice are left out: GitHub did not answer" in refused
        assert "Add `--no-ssh`" in refused
        assert not (await desk.plan(ssh=False)).warnings

    async def test_keys_that_changed_since_are_asked_for_again(self, desk: Desk) -> None:
        draft = await desk.plan()
        desk.held = ChosenKeys(notes=("The name belongs to another account now.",))
        with pytest.raises(UserError, match=r"other ones than when this launch was planned.*another account"):
            await desk.planner().plan(draft.request, NOW)

    async def test_a_template_with_users_of_its_own_is_warned_of(self, desk: Desk) -> None:
        users = base64.b64encode(b"#cloud-config\nusers:\n  - name: builder\n").decode()
        draft = await desk.plan(await desk.template(UserData=users))
        assert any("users of its own" in each for each in draft.warnings)


class TestBefore:
    async def test_what_is_not_permitted_is_refused_with_the_clouds_words(self, desk: Desk) -> None:
        desk.aws.faults.add(Fault(kind=FaultKind.REFUSE, match=DRY_RUN, message="You are not authorized."))
        with pytest.raises(
            CloudError, match=r"does not let Slipway launch this.*You are not authorized"
        ) as caught:
            await desk.plan()
        assert caught.value.responsible is ResponsibleParty.ADMIN

    async def test_a_quota_that_does_not_hold_is_told_before(self, desk: Desk) -> None:
        desk.aws.quotas = {STANDARD_QUOTA: 3.0}
        with pytest.raises(CloudError, match=r"of 3 vCPUs in use .*, and this takes 4\.") as caught:
            await desk.plan(count=2)
        assert caught.value.kind is CloudErrorKind.QUOTA

    async def test_what_the_cloud_does_not_say_is_called_unknown(self, desk: Desk) -> None:
        desk.aws.faults.add(Fault(kind=FaultKind.ERROR, match=DRY_RUN))
        assert any(
            "not known whether the launch is permitted" in each for each in (await desk.plan()).warnings
        )

    async def test_the_card_says_when_and_how_the_whole_life_ends(self, desk: Desk) -> None:
        draft = await desk.plan()
        ends = dict(draft.evidence)["Whole life"]
        assert ends == "at most until 2026-11-27 12:00 UTC; then a timer in the machine ends it"

    async def test_the_card_has_what_is_recorded_about_the_image_by_whoever_records_it(
        self, desk: Desk
    ) -> None:
        assert dict((await desk.plan()).evidence)["Evidence"] == "none recorded"
        interfaces = Interfaces()
        interfaces.give(IMAGE_EVIDENCE, Recorded())
        more = {"evidence": interfaces.get(IMAGE_EVIDENCE).of}
        assert dict((await desk.plan(more=more)).evidence)["Evidence"] == f"{IMAGE} boots; bad by bob"
        with pytest.raises(DeclarationError, match="Two subjects give evidence about images"):
            interfaces.give(IMAGE_EVIDENCE, Recorded())

    async def test_the_cost_is_estimated_where_somebody_wrote_a_price(self, desk: Desk) -> None:
        assert "Cost" not in dict((await desk.plan()).evidence)
        prices = PriceSettings(per_hour={"t3.small": 0.02, "us-east-1 t3.small": 0.03})
        draft = await desk.plan(count=2, more={"prices": prices})
        assert dict(draft.evidence)["Cost"].startswith("about 0.18 USD for 3h (0.03 an hour each;")

    async def test_a_limit_is_told_before_and_says_what_is_left(self, desk: Desk) -> None:
        async def allowance(_person: str, machines: int, hours: float, _now: datetime) -> str:
            if machines > 2:
                raise LimitReachedError("alice may have 2 machines")
            return f"{2 - machines} of 2 machines after this, {hours:g} h"

        more = {"asks": {"allowance": allowance}}
        assert dict((await desk.plan(more=dict(more))).evidence)["Left"] == "1 of 2 machines after this, 3 h"
        with pytest.raises(LimitReachedError):
            await desk.plan(count=3, more={"asks": {"allowance": allowance}})


class TestLaunching:
    async def launch(self, desk: Desk, ledger: LaunchLedger, step: LaunchMachines, token: str) -> StepDone:
        executor = LaunchExecutor(accounts(desk.ec2), ledger, lambda: NOW, POLL_AT_ONCE)
        done = await executor.observe(step, token)
        if done is None:
            await executor.act(step, token)
            done = await executor.verify(step, token)
        return done

    async def test_the_templates_own_user_data_stays_beside_keys_and_timer(
        self, desk: Desk, ledger: LaunchLedger
    ) -> None:
        script = b"#!/bin/sh\necho ready\n"
        profile = await desk.template(UserData=base64.b64encode(script).decode())
        await self.launch(desk, ledger, step_of(await desk.plan(profile)), unique_name("token"))
        launched = [each for each in desk.aws.forms if each["Action"] == "RunInstances"]
        form = next(each for each in reversed(launched) if "DryRun" not in each)
        message = message_from_bytes(base64.b64decode(form["UserData"]))
        parts = {
            part.get_content_type(): part.get_payload(decode=True)
            for part in message.walk()
            if part.get_content_maintype() != "multipart"
        }
        assert parts["text/plain"] == script
        assert KEY.encode() in bytes(parts["text/cloud-config"])
        ends = int((NOW + timedelta(days=7)).timestamp())
        assert str(ends).encode() in bytes(parts["text/cloud-boothook"])

    async def test_what_was_launched_is_noted_with_its_lease(self, desk: Desk, ledger: LaunchLedger) -> None:
        token = "slipway-op-abcd-0123456789abcdef-1"
        await self.launch(desk, ledger, step_of(await desk.plan(count=2)), token)
        reservation = await ledger.leases.reservation("op-abcd")
        assert reservation is not None
        assert (reservation.state, reservation.ssh_user) == (ReservationState.LAUNCHED, "fedora")
        machines = await ledger.leases.living("alice")
        assert {each.instance_id for each in machines} == {each.id for each in await desk.ec2.instances()}
        assert {(each.lease_ends_at, each.cap_ends_at) for each in machines} == {
            (NOW + 3 * HOUR, NOW + timedelta(days=7))
        }

    async def test_a_launch_that_was_refused_frees_its_place(self, desk: Desk, ledger: LaunchLedger) -> None:
        step = step_of(await desk.plan())
        desk.aws.faults.add(
            Fault(kind=FaultKind.CONFLICT, match="RunInstances", code="InsufficientInstanceCapacity")
        )
        with pytest.raises(CloudError):
            await self.launch(desk, ledger, step, unique_name("token"))
        assert await ledger.leases.open_claims() == ()
        assert (await ledger.leases.usage()).places == ()

    async def test_a_launch_of_which_nobody_knows_keeps_its_place(
        self, desk: Desk, ledger: LaunchLedger
    ) -> None:
        step = step_of(await desk.plan())
        desk.aws.faults.add(Fault(kind=FaultKind.ERROR, match="RunInstances"))
        with pytest.raises(CloudError) as caught:
            await self.launch(desk, ledger, step, unique_name("token"))
        assert caught.value.doubtful
        assert [each.count for each in await ledger.leases.open_claims()] == [1]

    async def test_the_last_place_is_given_once(self, desk: Desk, ledger: LaunchLedger) -> None:
        limits = LimitSettings(machines=1)

        def check(usage: Usage, owner: str, machines: int, hours: float, now: datetime) -> None:
            check_limits(limits, usage, Wanted(owner, (), machines, hours), now)

        tight = replace(ledger, check=check)
        step = step_of(await desk.plan())
        await self.launch(desk, tight, step, unique_name("token"))
        with pytest.raises(CloudError, match="may have 1 machine, have 1 now") as caught:
            await self.launch(desk, tight, step, unique_name("token"))
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert len(await desk.ec2.instances()) == 1
