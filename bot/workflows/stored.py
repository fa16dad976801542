"""What DBOS has stored of workflows: which have ended, and which have not. Each function waits for the database."""

from __future__ import annotations

from collections.abc import Sequence, Set

import structlog

APPLICATION_VERSION = "1"
"""Stored with every workflow; one of another version is not recovered. Raise it only together with a
migration of the workflows under way (DBOS would otherwise take a hash of the source, and every new release
would leave pending approvals behind, silently)."""

RUNNING = ("PENDING",)
UNFINISHED = (*RUNNING, "ENQUEUED")
"""DBOS's words for a workflow that is running, or will."""

ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""DBOS's words for a workflow that will not run again."""

log = structlog.get_logger(__name__)


def unfinished(names: frozenset[str], states: Sequence[str] = UNFINISHED) -> set[str]:
    """Ids of the workflows of these names that have not ended: what this version of Slipway goes on with.

    Others stay as they are for a version that knows them; to wait for them would be to wait for ever.
    """
    from dbos import DBOS

    found = DBOS.list_workflows(
        status=list(states), app_version=APPLICATION_VERSION, load_input=False, load_output=False
    )
    if unknown := [each.workflow_id for each in found if each.name not in names]:
        log.warning("work of another version of Slipway is left alone", workflows=unknown)
    return {each.workflow_id for each in found if each.name in names}


def over(ids: Set[str]) -> set[str]:
    """Which of these workflows have ended."""
    from dbos import DBOS

    found = DBOS.list_workflows(
        workflow_ids=list(ids), status=list(ENDED), load_input=False, load_output=False
    )
    return {each.workflow_id for each in found}
