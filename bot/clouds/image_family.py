"""Families of images, written down in slipway.toml: for clouds that have images by names and no definitions.

A table of a subject whose class is :class:`ImageFamily` hands its entries to the account that each names: there an
entry is a definition like any other, by the table's name.
"""

from __future__ import annotations

from pydantic import Field

from slipway.bot.clouds.image_naming import NamePattern
from slipway.bot.core.settings import Duration, Settings


class ImageFamily(Settings):
    """``[family.NAME]``: the images (AMIs) of one name pattern in the regions of an account."""

    cloud: str = "aws"
    owner: str = Field(
        "self",
        pattern=r"^(self|\d{12})$",
        description="whose images these are: self, or an account of 12 digits",
    )
    name: str = Field(
        description="how the images are called, with the numbers of the version in braces, like "
        "Fedora-Cloud-Base-AmazonEC2.x86_64-43-{date}.{respin}"
    )
    # What of the name makes the version, and what it has besides. Where it is left out: the parts in their order.
    version: str = ""
    regions: tuple[str, ...] = ()  # none: all of the account
    # An SSM parameter that holds the id of what is latest, in each region.
    parameter: str | None = Field(
        None,
        pattern=r"^(/[A-Za-z0-9_.-]+)+$|^[A-Za-z0-9_.-]+$",
        description="the name of a parameter of the Systems Manager, like /fedora/43/x86_64/latest",
    )
    # A launch template whose default version names what is latest, where it is.
    template: str | None = Field(None, min_length=1, description="the name or id of a launch template")
    template_regions: tuple[str, ...] = ()  # none: all regions of the family
    # What was latest before is deprecated so long after something newer was promoted.
    deprecate_after: Duration | None = None

    @property
    def pattern(self) -> NamePattern:
        """How a name tells a version."""
        return NamePattern(self.name, self.version)
