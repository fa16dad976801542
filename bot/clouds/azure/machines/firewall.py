"""From where port 22 of a machine can be reached, by the rules of security groups. Pure.

Source: “Network security groups: how traffic is evaluated”: rules in the order of their priority, the first that fits
decides; where both a subnet and an interface have a group, both have to let it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from slipway.bot.clouds.machine_model import SshAccess

_SSH = 22
_NETWORK = "VirtualNetwork"
_BALANCER = "AzureLoadBalancer"
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


@dataclass(frozen=True)
class Rule:
    """An inbound rule that concerns port 22."""

    priority: int
    allows: bool
    sources: tuple[str, ...]


def ssh_access(groups: Sequence[Mapping[str, Any]], *, public_address: bool) -> SshAccess:
    """Who reaches port 22 through all of these groups, each as its document.

    Where machines have a public address, people come over the internet: that machines of the same network reach each
    other, as every group allows by default, opens it to nobody then. Without any group, a public address lets nobody
    in (Standard addresses are closed by default), and a private one the network around it.
    """
    let_in = [_allowed(rules_of(group)) for group in groups] or [() if public_address else (_NETWORK,)]
    reached = reduce(_both, let_in)
    if public_address:
        explicit = {
            source for group in groups for rule in _own_rules(group) if rule.allows for source in rule.sources
        }
        reached = tuple(each for each in reached if each != _NETWORK or _NETWORK in explicit)
    return SshAccess(reached, public_address)


def rules_of(group: Mapping[str, Any]) -> list[Rule]:
    """The inbound rules of a group about port 22, its default ones included, in the order in which they count."""
    return sorted([*_own_rules(group), *_read_rules(group, "defaultSecurityRules")], key=_priority)


def _own_rules(group: Mapping[str, Any]) -> list[Rule]:
    return _read_rules(group, "securityRules")


def _priority(rule: Rule) -> int:
    return rule.priority


def _read_rules(group: Mapping[str, Any], key: str) -> list[Rule]:
    rules = []
    for each in group["properties"].get(key) or ():
        rule = each["properties"]
        if rule["direction"].casefold() != "inbound" or rule["protocol"].casefold() not in ("*", "tcp"):
            continue
        if not any(_covers(ports) for ports in _several(rule, "destinationPortRange")):
            continue
        sources = (*_several(rule, "sourceAddressPrefix", "es"), *_groups(rule))
        rules.append(Rule(int(rule["priority"]), rule["access"].casefold() == "allow", tuple(sources)))
    return rules


def _several(rule: Mapping[str, Any], key: str, plural: str = "s") -> Iterable[str]:
    """A field that there is for one value and for several."""
    one = rule.get(key)
    return [str(each) for each in (*([one] if one else []), *(rule.get(f"{key}{plural}") or ()))]


def _groups(rule: Mapping[str, Any]) -> Iterable[str]:
    return [
        f"application security group {str(each['id']).rpartition('/')[2]}"
        for each in rule.get("sourceApplicationSecurityGroups") or ()
    ]


def _covers(ports: str) -> bool:
    if ports == "*":
        return True
    first, _, last = ports.partition("-")
    return first.isdecimal() and int(first) <= _SSH <= int(last or first)


def _allowed(rules: Sequence[Rule]) -> tuple[str, ...]:
    """The sources that are let in: those of allowing rules, but for what a rule before them keeps out."""
    let_in: dict[str, None] = {}
    kept_out: list[str] = []
    for rule in rules:
        if not rule.allows:
            kept_out.extend(rule.sources)
            if any(_is_everybody(source) for source in rule.sources):
                break
            continue
        for named in rule.sources:
            # Where the internet is kept out, of everybody the network around is left.
            inside = _is_everybody(named) and any(_is_internet(other) for other in kept_out)
            source = _NETWORK if inside else named
            if source != _BALANCER and not any(_within(source, other) for other in kept_out):
                let_in[source] = None
    return tuple(let_in)


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """What is in both."""
    found: dict[str, None] = {}
    for one in first:
        for other in second:
            if _within(one, other):
                found[one] = None
            elif _within(other, one):
                found[other] = None
    return tuple(found)


def _within(inner: str, outer: str) -> bool:
    if inner.casefold() == outer.casefold() or _is_everybody(outer):
        return True
    if _is_internet(outer):
        return not _is_everybody(inner) and not _is_inside(inner)
    small, large = _network(inner), _network(outer)
    if isinstance(small, IPv4Network) and isinstance(large, IPv4Network):
        return small.subnet_of(large)
    if isinstance(small, IPv6Network) and isinstance(large, IPv6Network):
        return small.subnet_of(large)
    return False


def _network(source: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(source, strict=False)
    except ValueError:
        return None


def _is_everybody(source: str) -> bool:
    return SshAccess((source,)).open_to_world and not _is_internet(source)


def _is_internet(source: str) -> bool:
    return source.casefold() == "internet"


def _is_inside(source: str) -> bool:
    """Whether a source is no part of the internet: the network around, or a range that no internet address is of."""
    if source in (_NETWORK, _BALANCER):
        return True
    return any(_within(source, each) for each in _PRIVATE)
