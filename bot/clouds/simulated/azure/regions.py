"""Regions' two names: ``eastus`` in ids, locations and replication, ``East US`` in a version's target regions.

Source: recorded answers of 2020 to 2026; whatever form is sent, each place answers in its own.
"""

from __future__ import annotations

_DISPLAY_NAMES = (
    "East US",
    "East US 2",
    "West US",
    "West US 2",
    "West US 3",
    "Central US",
    "North Central US",
    "South Central US",
    "West Central US",
    "Canada Central",
    "Canada East",
    "Brazil South",
    "North Europe",
    "West Europe",
    "UK South",
    "UK West",
    "France Central",
    "Germany West Central",
    "Switzerland North",
    "Sweden Central",
    "Norway East",
    "Poland Central",
    "Italy North",
    "Spain Central",
    "Southeast Asia",
    "East Asia",
    "Japan East",
    "Japan West",
    "Korea Central",
    "Australia East",
    "Australia Southeast",
    "Central India",
    "South India",
    "South Africa North",
    "UAE North",
    "Qatar Central",
    "Israel Central",
)


def short_name(region: str) -> str:
    """As ids write it: “East US” and eastus are one."""
    return region.replace(" ", "").lower()


_BY_SHORT_NAME = {short_name(name): name for name in _DISPLAY_NAMES}


AVAILABLE = ",".join(_BY_SHORT_NAME)
"""The regions that there are, as errors list them."""


def is_region(name: str) -> bool:
    """Whether there is such a region, in either form."""
    return short_name(name) in _BY_SHORT_NAME


def display_name(region: str) -> str:
    """As a version's target regions show it; a region that is not known here stays as it was sent."""
    return _BY_SHORT_NAME.get(short_name(region), region)
