"""Connections of a replica to the database that has everything, so that none of a former leader's outlives its lease.

Each carries the number of the lease in its name, by which the next leader finds and ends it; and one that is made
later looks first whether the lease is still there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from slipway.bot.core.fencing import LeadershipLostError
from slipway.bot.replicas.fence import LeaseFence
from slipway.bot.replicas.lease import application_name
from slipway.bot.store.postgres import PostgresAccess


def parameters_of(access: PostgresAccess) -> Mapping[str, Any]:
    """How the database is reached, by libpq's names."""
    from psycopg.conninfo import conninfo_to_dict

    known = conninfo_to_dict(access.url)
    return known if access.password is None else {**known, "password": access.password.get_secret_value()}


def fenced(access: PostgresAccess, fence: LeaseFence, replica: str) -> PostgresAccess:
    """The same database, by connections that are used only while the lease is held under which they were made.

    Args:
        access: to the database.
        fence: knows the lease.
        replica: the id of this one.
    """

    def try_out(connection: Any) -> None:
        epoch = fence.epoch
        cursor = connection.cursor()
        try:
            name = application_name(replica, epoch)
            cursor.execute("SELECT set_config('application_name', %s, false)", (name,))
            connection.commit()  # from now on it can be found; what follows sees whoever leads after that
            if epoch:
                cursor.execute(
                    "SELECT 1 FROM slipway_replicas.leader WHERE holder = %s AND epoch = %s", (replica, epoch)
                )
                held = cursor.fetchone() is not None
                connection.commit()
                if not held:
                    _end_work()
        finally:
            cursor.close()

    return replace(access, try_out=try_out)


def _end_work() -> NoReturn:
    """Cut off what was to use the connection."""
    if threading.current_thread().daemon:
        raise SystemExit  # a thread of DBOS's own, with nobody to tell: Python lets it end so without a traceback
    raise LeadershipLostError("another replica works")
