"""What makes this process one replica, told from others."""

from __future__ import annotations

import os
import socket

from slipway import __version__
from slipway.bot.config.digest import OWN_OF_A_REPLICA, digest_of
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.replicas.model import ReplicaIdentity


def identity_of(id_: str, schema: str, settings: SlipwaySettings) -> ReplicaIdentity:
    """This process as a replica.

    Args:
        id_: kept in its state folder.
        schema: the newest migration that it knows.
        settings: what is configured.
    """
    return ReplicaIdentity(
        id_, socket.gethostname(), os.getpid(), __version__, schema, configuration_of(settings)
    )


def configuration_of(settings: SlipwaySettings) -> str:
    """What is the same for two configurations under which replicas do the same."""
    return digest_of(settings, OWN_OF_A_REPLICA)[:16]
