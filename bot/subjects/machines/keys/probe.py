"""Whether the services answer from which people's keys come, for `slipway doctor`."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.probes import Finding, reach
from slipway.bot.core.times import system_clock
from slipway.bot.operations.declarations import Probe
from slipway.bot.subjects.machines.keys.model import SERVICES, Account, read_account
from slipway.bot.subjects.machines.keys.settings import ACCOUNTS, KEYS


def accounts_at(service: str, settings: SlipwaySettings) -> tuple[Account, ...]:
    """The accounts of a service that the configuration gives people."""
    accounts = [read_account(text) for person in settings.person for text in person.texts(ACCOUNTS)]
    return tuple(account for account in accounts if account.service == service)


async def look(service: str, settings: SlipwaySettings) -> Finding:
    """Look one of the accounts up: an address may not ask often, so not all."""
    from slipway.bot.subjects.machines.keys.hosts import key_hosts

    what = f"keys from {service}"
    account = accounts_at(service, settings)[0]
    try:
        listing = await key_hosts(settings.table(KEYS), system_clock)[service].listing(account.name)
    except CloudError as error:
        lost = error.kind in (CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT)
        return Finding.of_error(what, error, reach(getattr(settings.table(KEYS), service)) if lost else "")
    except UserError as error:
        step = "mend `keys` of that [[person]]; then `slipway doctor`"
        return Finding(what, f"{account} cannot be used", (error.sentence,), step)
    count = len(listing.keys)
    return Finding(what, f"{account} lists {count} key{'s' if count != 1 else ''}")


def _probe(service: str) -> Probe:
    async def probe(settings: SlipwaySettings, _clouds: Clouds) -> Finding:
        return await look(service, settings)

    return Probe(f"keys from {service}", lambda settings: bool(accounts_at(service, settings)), probe)


KEY_PROBES = tuple(map(_probe, SERVICES))
