"""Looks at PostgreSQL and the replicas there, for `slipway doctor`, whether a bot runs or not. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from slipway import __version__
from slipway.bot.core.errors import StateError
from slipway.bot.core.platform_clock import WRONG_BY
from slipway.bot.core.probes import Check, Finding, Verdict
from slipway.bot.core.times import Clock, format_span
from slipway.bot.replicas.looking import ServerSeen, look_at_server
from slipway.bot.replicas.model import SILENT_AFTER, Peer
from slipway.bot.store.database import HEAD
from slipway.bot.store.postgres import OLDEST_SERVER, PostgresAccess

WHAT = "database"
"""How it is called among what doctor looks at."""

CONNECTIONS = 30
"""As many a leader may have. Source: counted while it worked; docs/operating.md says so."""


async def examine_server(access: PostgresAccess, configuration: str, clock: Clock) -> Finding:
    """How PostgreSQL is, and which replicas are there.

    Args:
        access: to it.
        configuration: stands for the one by which is asked, as replicas tell theirs.
        clock: this machine's.
    """
    try:
        asked_at = clock()
        seen = await look_at_server(access)
        here = asked_at + (clock() - asked_at) / 2
    except StateError as error:
        step = "look whether the server runs, and whether database.url and its password are right"
        return Finding(WHAT, "does not work", (str(error),), f"{step}; then `slipway doctor`")
    parts = (
        _server(seen),
        _writable(seen),
        _schema(seen),
        _rights(seen),
        _connections(seen),
        _clock(seen.now - here),
        *_replicas(seen, configuration),
    )
    return Finding(WHAT, f"PostgreSQL {seen.version}", by=f"user {seen.user}", parts=parts)


def _server(seen: ServerSeen) -> Check:
    name = "server"
    if seen.version < OLDEST_SERVER:
        why = f"It is PostgreSQL {seen.version}, and {OLDEST_SERVER} or newer is needed."
        return Check(name, Verdict.FAIL, why, "upgrade the server")
    if seen.encoding != "UTF8":
        why = f"The database's encoding is {seen.encoding}, and UTF8 is needed."
        return Check(name, Verdict.FAIL, why, "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0")
    return Check(name)


def _writable(seen: ServerSeen) -> Check:
    if not seen.read_only:
        return Check("writable")
    why = "It is read-only: a standby, or default_transaction_read_only is on."
    return Check("writable", Verdict.FAIL, why, "name a server in database.url that can be written")


def _schema(seen: ServerSeen) -> Check:
    name, found = "schema", seen.revision
    if found == HEAD:
        return Check(name, says=f"{HEAD}, as this version has it.")
    if found is None and seen.not_owned:
        return Check(name, Verdict.UNTRIED, "It may not be read.")
    if found is None and not seen.tables:
        return Check(name, Verdict.UNTRIED, "The first start makes the tables.")
    if found is None or not found.isdecimal():
        why = f"It holds tables of another program ({', '.join(seen.tables[:3])})."
        return Check(
            name, Verdict.FAIL, why, "make a database for Slipway alone, and name it in database.url"
        )
    if found > HEAD:
        why = f"A newer Slipway upgraded it (schema {found}; here it is {HEAD}), and this one never leads there."
        return Check(
            name, Verdict.WARN, why, "upgrade Slipway here, or restore a backup made before the upgrade"
        )
    why = f"The schema is {found}, and {HEAD} in this version."
    return Check(name, Verdict.WARN, why, "back it up, and start this version: it upgrades the database")


def _rights(seen: ServerSeen) -> Check:
    name = "rights"
    if not seen.may_make:
        why = f"The user {seen.user} may not make tables and schemas there."
        return Check(name, Verdict.FAIL, why, f'ALTER DATABASE … OWNER TO "{seen.user}"')
    if seen.not_owned:
        why = f"{', '.join(seen.not_owned[:3])} belong to another user than {seen.user}. All replicas need one user."
        return Check(name, Verdict.FAIL, why, "use the user that they belong to in database.url")
    return Check(name)


def _connections(seen: ServerSeen) -> Check:
    if seen.peers or seen.free >= CONNECTIONS:
        return Check("connections", says=f"{seen.free} are free.")
    why = f"{seen.free} are free, and a leader may take {CONNECTIONS}."
    return Check("connections", Verdict.WARN, why, "raise max_connections of the server")


def _clock(ahead: timedelta) -> Check:
    if abs(ahead) < WRONG_BY:
        return Check("clock")
    which = "behind" if ahead > timedelta(0) else "ahead of"
    why = f"This machine's clock is {_span(abs(ahead))} {which} the database's."
    return Check(
        "clock", Verdict.WARN, why, "have both set by NTP; leases do not mind, times in cards and logs do"
    )


def _replicas(seen: ServerSeen, configuration: str) -> Iterator[Check]:
    if not seen.peers:
        yield Check("replicas", Verdict.UNTRIED, "None runs.")
        return
    for peer in seen.peers:
        yield _replica(peer, seen, configuration)
    if seen.lease is None or not seen.lease.holder:
        yield Check(
            "leader",
            Verdict.WARN,
            "Nobody leads: nothing is answered now.",
            "start a replica of the newest version",
        )


def _replica(peer: Peer, seen: ServerSeen, configuration: str) -> Check:
    leads = seen.lease is not None and seen.lease.holder == peer.id
    does = f"leads since {_moment(seen.lease.since)}" if leads and seen.lease is not None else "hears"
    says = [f"It {does}, with Slipway {peer.version}; its last sign of life is {_span(peer.silent)} old."]
    steps = []
    if peer.silent > SILENT_AFTER:
        steps.append("start it, or leave it: it is forgotten after a day")
    if peer.version != __version__:
        says.append(f"This is Slipway {__version__}.")
        steps.append("upgrade the older one")
    if peer.configuration != configuration:
        says.append("Its configuration is another one than this.")
        steps.append("give both the same, and `slipway reload` there, or restart it")
    verdict = Verdict.WARN if steps else Verdict.PASS
    return Check(peer.name, verdict, " ".join(says), "; ".join(steps))


def _span(span: timedelta) -> str:
    return format_span(timedelta(seconds=round(span.total_seconds())))


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}" if moment is not None else "some time"
