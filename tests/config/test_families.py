"""``[family.NAME]``: mistakes by their keys, what `check` says of them, and the account that they are handed to."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.config.describe import describe
from slipway.bot.config.lint import warnings
from slipway.bot.core.errors import ConfigError
from tests.support.configuration import DECLARED, problems_of, settings_of, valid_document

NAME = "Fedora-Cloud-43-x64"
RIGHT = {"name": "Fedora.x86_64-43-{date}.{respin}", "version": "43.{date}.{respin}"}


def document(**family: Any) -> dict[str, Any]:
    found = valid_document()
    found["family"] = {NAME: RIGHT | family}
    return found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "Fedora"}, f"family.{NAME}.name: has no number left open"),
        ({"version": "{date}.{respin}"}, f"family.{NAME}.version: makes 2 numbers of three to five"),
        ({"owner": "fedora"}, f'family.{NAME}.owner: it is "fedora"; write whose images these are'),
        ({"parameter": "/a b"}, f'family.{NAME}.parameter: it is "/a b"; write the name of a parameter'),
        ({"cloud": "aws.gone"}, f"family.{NAME}.cloud: there is no [aws.gone]; add it"),
        ({"template_regions": ["us-east-1"]}, f"family.{NAME}.template_regions: there is no template"),
        (
            {"template": "t", "regions": ["eu-west-1"], "template_regions": ["us-east-1"]},
            f"family.{NAME}.template_regions: us-east-1 is none of the family's regions",
        ),
        ({"deprecate_after": "soon"}, f"family.{NAME}.deprecate_after: "),
        ({"nmae": "x"}, f"family.{NAME}.nmae: there is no such key"),
    ],
)
def test_a_mistake_is_told_by_its_key(changed: dict[str, Any], said: str) -> None:
    (problem,) = problems_of(document(**changed))
    assert problem.startswith(said)


def test_names_that_differ_in_capitals_alone_are_one_to_whoever_types_them() -> None:
    wrong = document()
    wrong["family"][NAME.lower()] = RIGHT
    (problem,) = problems_of(wrong)
    assert "differs from" in problem


def test_families_of_which_one_name_can_be_both_are_told() -> None:
    found = document()
    found["family"]["Fedora-43-Beta"] = RIGHT | {"name": "Fedora.x86_64-43-{date}.{respin}", "regions": ["a"]}
    found["family"]["Fedora-44"] = RIGHT | {"name": "Fedora.x86_64-44-{date}.{respin}"}
    found["family"]["Others"] = RIGHT | {"owner": "125523088429"}
    found["family"]["Elsewhere"] = RIGHT | {
        "name": "Fedora.x86_64-{release}-{date}.{respin}",
        "regions": ["b"],
    }
    found["family"]["Elsewhere"]["version"] = "{release}.{date}.{respin}"
    told = [str(each) for each in warnings(settings_of(found), found, DECLARED.spec) if "family" in each.key]
    assert [each.partition(":")[0] for each in told] == [
        "family.Fedora-43-Beta.name",
        "family.Elsewhere.name",
        "family.Elsewhere.name",
    ]
    assert f'an image called "Fedora.x86_64-43-0.0" would be a version of {NAME}, too' in told[0]


def test_check_says_what_the_versions_of_a_family_look_like() -> None:
    lines = describe(settings_of(document()), DECLARED.spec)
    assert f"families of AMIs: {NAME} in aws, versions like 43.DATE.RESPIN" in lines
    assert "families of AMIs: none" in describe(settings_of(valid_document()), DECLARED.spec)


def test_a_family_makes_its_account_a_gallery_and_no_other() -> None:
    found = document()
    found["aws"] = {"region": "eu-west-1", "staging": {"region": "eu-west-1"}}
    clouds = DECLARED.open_clouds(settings_of(found), {})
    assert list(clouds.all(IMAGE_VERSIONS)) == ["aws", "azure"]
    found["family"][NAME]["cloud"] = "aws.staging"
    clouds = DECLARED.open_clouds(settings_of(found), {})
    assert list(clouds.all(IMAGE_VERSIONS)) == ["aws.staging", "azure"]


def test_a_family_on_a_cloud_with_definitions_of_its_own_is_a_mistake() -> None:
    with pytest.raises(
        ConfigError, match=rf"family\.{NAME}\.cloud: a gallery says itself which versions it has"
    ):
        DECLARED.open_clouds(settings_of(document(cloud="azure")), {})


def test_a_schedule_that_promotes_needs_a_gallery_or_a_family() -> None:
    alone = valid_document()
    del alone["azure"]
    (problem,) = problems_of(alone)
    assert "cleanup works in azure or family, and there is no [azure] or [family]" in problem
    alone["family"] = document()["family"]
    settings_of(alone)
