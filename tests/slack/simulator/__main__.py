"""``python -m tests.slack.simulator [--port 0]``: serve until ended.

The first line of output is JSON with ``url``, ``api_url``, ``bot_token``, ``app_token``, ``signing_secret`` and
the ids of some people and channels. How to steer it: ``control.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from tests.slack.simulator.control import ControlledSlack
from tests.slack.simulator.seed import IMAGES, fedora_world
from tests.slack.simulator.world import Channel


async def serve(port: int, patience: float, channels: int) -> None:
    """Serve until SIGINT or SIGTERM; with so many channels more, of the same people as ``#images``."""
    ended = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, ended.set)
    world = fedora_world()
    people = world.channels[IMAGES].members
    for number in range(1, channels + 1):
        world.add_channel(Channel(f"C0MORE{number:03}", f"more-{number}", members=set(people)))
    sim = ControlledSlack(world, patience=patience)
    await sim.start(port)
    facts = {
        "url": sim.url,
        "api_url": sim.api_url,
        "bot_token": sim.bot_token,
        "app_token": sim.app_token,
        "signing_secret": sim.signing_secret,
        "bot_user": sim.world.app.bot_user,
        "users": {user.name: user.id for user in sim.world.users.values()},
        "channels": {channel.name: channel.id for channel in sim.world.channels.values()},
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    await ended.wait()
    await sim.stop()


def main() -> None:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.slack.simulator")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument(
        "--patience", type=float, default=3.0, help="seconds until an interaction counts as lost"
    )
    parser.add_argument("--channels", type=int, default=0, help="channels to have beside the usual ones")
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.patience, asked.channels))


if __name__ == "__main__":
    main()
