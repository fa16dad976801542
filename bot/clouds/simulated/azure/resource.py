"""What every simulated resource of Azure is: a document as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass
class Resource:
    """A resource, by the document that shows it."""

    document: Document

    @property
    def name(self) -> str:
        """Its name as it was given."""
        return str(self.document["name"])

    @property
    def state(self) -> str:
        """Its provisioning state."""
        return str(self.document["properties"]["provisioningState"])

    @state.setter
    def state(self, value: str) -> None:
        self.document["properties"]["provisioningState"] = value
