"""What launches machines by itself, as it is read from answers."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.images.launchers import (
    TemplateVersion,
    read_configurations,
    read_fleets,
    read_groups,
    read_refreshes,
    read_spot_fleets,
    read_spot_requests,
)


def test_a_fleet_that_has_ended_launches_nothing_and_a_template_without_a_version_is_its_default() -> None:
    config = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"},
        "Overrides": [{"InstanceType": "t3.small"}, {"ImageId": "ami-1"}],
    }
    fleets = [
        {"FleetId": state, "FleetState": state, "LaunchTemplateConfigs": [config]}
        for state in ("submitted", "active", "modifying", "deleted_running", "failed")
    ]
    found = read_fleets({"Fleets": fleets})
    assert [each.by for each in found] == ["EC2 fleet submitted", "EC2 fleet active", "EC2 fleet modifying"]
    assert found[0].images == ("ami-1",)
    assert found[0].templates == (TemplateVersion("lt-1", "$Default", by_id=True),)


def test_a_spot_request_launches_once_or_again_and_again_until_it_is_cancelled() -> None:
    requests = [
        {
            "SpotInstanceRequestId": f"{kind} {state}",
            "Type": kind,
            "State": state,
            "LaunchSpecification": {"ImageId": "ami-1"},
        }
        for kind in ("one-time", "persistent")
        for state in ("open", "active", "disabled", "closed", "cancelled", "failed")
    ]
    assert {
        each.by.removeprefix("spot request ")
        for each in read_spot_requests({"SpotInstanceRequests": requests})
    } == {
        "one-time open",
        "persistent open",
        "persistent active",
        "persistent disabled",
    }


@pytest.mark.parametrize(
    ("read", "page"),
    [
        (read_groups, {}),
        (read_groups, {"AutoScalingGroups": [{"AutoScalingGroupName": "web", "LaunchTemplate": "lt-1"}]}),
        (
            read_groups,
            {"AutoScalingGroups": [{"AutoScalingGroupName": "web", "LaunchTemplate": {"Version": "1"}}]},
        ),
        (read_refreshes, {"InstanceRefreshes": [{"AutoScalingGroupName": "web"}]}),
        (read_configurations, {"LaunchConfigurations": [{"LaunchConfigurationName": "web"}]}),
        (
            read_spot_fleets,
            {"SpotFleetRequestConfigs": [{"SpotFleetRequestState": "active", "SpotFleetRequestId": "1"}]},
        ),
        (read_spot_requests, {"SpotInstanceRequests": [{"SpotInstanceRequestId": "sir-1", "State": "open"}]}),
    ],
)
def test_what_makes_no_sense_is_never_taken_for_nothing(read: Any, page: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedResponseError):
        read(page)
