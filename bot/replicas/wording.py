"""What people are told of replicas."""

from __future__ import annotations

from datetime import timedelta

from slipway.bot.core.times import format_span
from slipway.bot.replicas.model import SILENT_AFTER, Peer, ReplicaFacts, short


def lines_of(facts: ReplicaFacts | None) -> tuple[str, ...]:
    """How the replicas are, a sentence each; none where there can be only one."""
    if facts is None:
        return ()
    others = (each for each in facts.peers if each.id not in (facts.me, facts.leader))
    return (_own(facts), *map(_other, others))


def reload_remarks(facts: ReplicaFacts | None) -> tuple[str, ...]:
    """What whoever reloads the configuration of one replica is told of the others, a sentence each."""
    if facts is None:
        return ()
    follows = facts.leader not in ("", facts.me)
    own = (f"{_name(facts, facts.leader)} leads, and its configuration counts.",) if follows else ()
    return (*own, *facts.warnings)


def _own(facts: ReplicaFacts) -> str:
    since = f" since {facts.since:%Y-%m-%d %H:%M:%S %Z}" if facts.since is not None else ""
    me = _name(facts, facts.me)
    if facts.leader == facts.me:
        return f"This replica, {me}, leads{since}."
    if facts.leader:
        return f"This replica, {me}, hears; {_name(facts, facts.leader)} leads{since}."
    return f"This replica, {me}, hears; nobody leads now."


def _other(peer: Peer) -> str:
    if peer.silent < SILENT_AFTER:
        return f"{peer.name} hears, too: Slipway {peer.version}."
    return f"{peer.name} gave no sign of life for {_rounded(peer.silent)}."


def _rounded(silent: timedelta) -> str:
    return format_span(timedelta(seconds=round(silent.total_seconds())))


def _name(facts: ReplicaFacts, id_: str) -> str:
    return next((each.name for each in facts.peers if each.id == id_), short(id_))
