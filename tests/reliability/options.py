"""What an episode is like. Everything follows from a seed and the episode's number, and is printed where it fails."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

CHATS = ("console", "matrix", "slack")

ALICE, BOB, CAROL, MALLORY = PEOPLE = ("alice", "bob", "carol", "mallory")
"""Two release engineers, one who may only read, and one who is in no configuration."""

RELENG = (ALICE, BOB)


class StorageKind(StrEnum):
    """Where the bot keeps what it stores."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"  # and two replicas


_GAPS = (0, -25, -7, 7, 25)
_GAPS_FOR_SIGNATURES = (0, -2, 2)  # those of Slack's requests are good for five minutes


@dataclass(frozen=True)
class Options:
    """One episode.

    Attributes:
        seed: of the whole run.
        episode: its number in the run, from 1.
        steps: how many.
        pause: seconds between two steps, on average.
        trouble: how often chats and clouds fail; 1 is usual, 0 never.
        kills: how often the bot is killed; 1 is usual, 0 never.
        chat_weights: how much is said on the console, in Matrix and in Slack.
        approvals: how many people a promotion takes; 1 or 2.
        own_vote: whether whoever asked for a promotion may agree to it.
        launch_approvals: how many a launch takes; 0 or 1.
        definitions: how many definitions the gallery has.
        polls: how often an operation of Azure's is seen running.
        edit_interval: seconds between two edits in Matrix.
        slack_http: whether Slack calls the bot, instead of the bot holding sockets.
        days: whether the clock jumps by days; then no chat fails, as what waits for one is given up after an hour.
        encrypted: whether the Matrix room is encrypted.
        signs_count: whether a reaction counts in an encrypted room, though nobody can encrypt it.
        ticking: the chat in which a schedule says something every minute.
        storage: one process on SQLite's files, or two replicas on a PostgreSQL.
        clock_gap: by how many minutes the second replica's clock is off at first.
    """

    seed: int
    episode: int
    steps: int
    pause: float
    trouble: float
    kills: float
    chat_weights: tuple[int, int, int]
    approvals: int
    own_vote: bool
    launch_approvals: int
    definitions: int
    polls: int
    edit_interval: float
    slack_http: bool
    days: bool
    encrypted: bool
    signs_count: bool
    ticking: str
    storage: StorageKind
    clock_gap: int

    @classmethod
    def of(cls, seed: int, episode: int, storage: StorageKind | None = None) -> Options:
        """The options of an episode; with ``storage`` it is this one, whatever the seed says."""
        rng = random.Random(f"options {seed}/{episode}")
        own = random.Random(f"storage {seed}/{episode}")
        drawn = own.choice((StorageKind.SQLITE, StorageKind.SQLITE, StorageKind.POSTGRES))
        approvals = rng.choice((1, 1, 2))
        return cls(
            seed=seed,
            episode=episode,
            steps=rng.randint(50, 90),
            pause=rng.choice((0.2, 0.4, 0.7)),
            trouble=rng.choice((0.0, 1.0, 1.0, 2.0)),
            kills=rng.choice((0.5, 1.0, 1.5, 2.0)),
            chat_weights=rng.choice(((1, 4, 4), (1, 4, 4), (1, 8, 1), (1, 1, 8), (6, 1, 1))),
            approvals=approvals,
            own_vote=approvals == 2 or rng.random() < 0.2,
            launch_approvals=rng.choice((0, 0, 1)),
            definitions=rng.randint(1, 4),
            polls=rng.choice((1, 1, 3)),
            edit_interval=rng.choice((0.5, 1.0, 5.0)),
            slack_http=(slack_http := rng.random() < 0.3),
            days=rng.random() < 0.2,
            encrypted=rng.random() < 0.4,
            signs_count=rng.random() < 0.7,
            ticking=rng.choice(("matrix", "slack")),
            storage=storage or drawn,
            clock_gap=own.choice(_GAPS_FOR_SIGNATURES if slack_http else _GAPS),
        )

    @property
    def replicas(self) -> int:
        """How many processes there are."""
        return 2 if self.storage is StorageKind.POSTGRES else 1

    @property
    def name(self) -> str:
        """``SEED/EPISODE``, which is all that a replay needs."""
        return f"{self.seed}/{self.episode}"
