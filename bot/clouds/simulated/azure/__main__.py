"""The simulated Azure as a process of its own: ``python -m slipway.bot.clouds.simulated.azure --port 0``.

It prints one JSON line with its URL and the names of what it holds, and serves until SIGINT or SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
from datetime import UTC, datetime

import click

from slipway.bot.clouds.simulated.azure.conditions import Conditions, Durations
from slipway.bot.clouds.simulated.azure.seed import Seed
from slipway.bot.clouds.simulated.azure.server import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery, many


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on the loopback.")
@click.option("--page-size", default=50, show_default=True, help="Entries a page of a listing.")
@click.option("--polls", default=1, show_default=True, help="How often an operation is seen running.")
@click.option("--now", default=None, help="The moment the content is built for, ISO 8601 (default: now).")
@click.option(
    "--etags", is_flag=True, help="Answer with ETags and honour If-Match; no recorded gallery does."
)
@click.option(
    "--real-time", is_flag=True, help="Let operations take minutes, and name no pause, as recorded."
)
@click.option(
    "--certificate", type=click.Path(exists=True), help="A TLS certificate with its key: speak https."
)
@click.option("--definitions", default=None, type=int, help="Build so many plain definitions instead.")
@click.option("--versions", default=10, show_default=True, help="Versions of each plain definition.")
@click.option("--candidates", default=0, show_default=True, help="So many of these are newer than latest.")
def main(
    port: int,
    page_size: int,
    polls: int,
    now: str | None,
    etags: bool,
    real_time: bool,
    certificate: str | None,
    definitions: int | None,
    versions: int,
    candidates: int,
) -> None:
    """Serve a simulated Azure that holds Fedora's gallery."""
    moment = datetime.now(UTC) if now is None else datetime.fromisoformat(now).astimezone(UTC)
    seed = fedora_gallery(moment) if definitions is None else many(definitions, versions, moment, candidates)
    conditions = Conditions(entity_tags=etags, durations=Durations() if real_time else None)
    azure = SimulatedAzure(
        seed, page_size=page_size, polls=polls, conditions=conditions, pause_ms=None if real_time else 5
    )
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    asyncio.run(_serve(azure, seed, port, tls))


async def _serve(azure: SimulatedAzure, seed: Seed, port: int, tls: ssl.SSLContext | None) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    url = await azure.start(port, tls=tls)
    names = {
        "subscription_id": seed.subscription_id,
        "resource_group": seed.resource_group,
        "gallery": seed.gallery,
    }
    click.echo(json.dumps({"url": url, **names}))
    try:
        await ended.wait()
    finally:
        await azure.stop()


if __name__ == "__main__":
    main()
