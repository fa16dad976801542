"""Who must agree where slipway.toml does not say, and whose approval could count, as far as it says."""

from __future__ import annotations

from collections.abc import Container, Iterable

from slipway.bot.config.policies.settings import PolicySettings
from slipway.bot.config.settings import PersonSettings, SlipwaySettings, rights_of
from slipway.bot.config.spec import CommandRight, ConfigSpec, KindSpec, gives

DEFAULT_ROLE = "releng"
"""Who approves where slipway.toml has no ``[policy.KIND]``."""


def with_defaults(
    spec: ConfigSpec, settings: SlipwaySettings, roles: Container[str] | None = None
) -> SlipwaySettings:
    """The same settings with a policy for every kind of operation.

    A table that has rules and nothing else adds them to what counts without it.

    Args:
        spec: the kinds there are, with what counts where slipway.toml does not say.
        settings: with or without ``[policy.KIND]`` tables.
        roles: the roles there are; None stands for those of the settings.
    """
    role = DEFAULT_ROLE if DEFAULT_ROLE in (settings.roles if roles is None else roles) else ""

    def usual(kind: KindSpec) -> PolicySettings:
        return PolicySettings(
            approvals=kind.approvals,
            role="" if kind.by_oneself else role,
            requester_may_approve=kind.by_oneself,
        )

    def policy(kind: KindSpec) -> PolicySettings:
        like = settings.policy.get(kind.like)
        own = settings.policy.get(kind.name)
        if own is None:
            return usual(kind) if like is None else _whole(like, usual(kind)).written_under(kind.like)
        return _whole(
            own, like if like is not None and not _rules_alone(like) else usual(kind)
        ).written_under(kind.name)

    policies = {kind.name: policy(kind) for kind in spec.kinds}
    return settings.model_copy(update={"policy": policies})


def _rules_alone(policy: PolicySettings) -> bool:
    return policy.model_fields_set == {"rule"}


def _whole(policy: PolicySettings, usual: PolicySettings) -> PolicySettings:
    return usual.model_copy(update={"rule": policy.rule}) if _rules_alone(policy) else policy


def approvals_needed(policy: PolicySettings, demanded: int = 0) -> int:
    """The largest number of approvals that one table or rule can ever ask for, of all roles together.

    Args:
        policy: the table or rule.
        demanded: how many a plan may demand whatever the policy says.
    """
    approvals = max(policy.approvals, policy.approvals_scheduled or 0)
    return max(approvals + sum(policy.also.values()), demanded)


def may_request(settings: SlipwaySettings, person: PersonSettings, kind: KindSpec) -> bool:
    """Whether one of the person's roles gives the right to this kind of operation."""
    return gives(rights_of(person.roles, settings), CommandRight(kind.name, kind.right, guarded=True))


def holders(settings: SlipwaySettings, kind: KindSpec, role: str) -> list[PersonSettings]:
    """Whose approval could count for a role, as far as slipway.toml says; for the empty one, of those who may ask."""
    return [
        person
        for person in settings.person
        if (role in person.roles if role else may_request(settings, person, kind))
    ]


def by_requesters_alone(settings: SlipwaySettings, kinds: Iterable[KindSpec]) -> list[str]:
    """The kinds that ask for an approval which whoever asks may give alone, though others could; empty where one of
    the kinds that ask for any wants somebody else's. What one confirms oneself by nature is not among them."""
    asking = [
        kind
        for kind in kinds
        if not kind.by_oneself and any(each.needed for _, each in settings.policy[kind.name].everywhere())
    ]
    own = [kind.name for kind in asking if _alone(settings, kind)]
    return own if len(own) == len(asking) else []


def _alone(settings: SlipwaySettings, kind: KindSpec) -> bool:
    each_asking = [each for _, each in settings.policy[kind.name].everywhere() if each.needed]
    return all(
        each.needed == each.approvals == 1
        and each.requester_may_approve
        and len(holders(settings, kind, each.role)) > 1
        for each in each_asking
    )
