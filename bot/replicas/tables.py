"""The tables by which replicas agree. They are no part of the migrations, for whoever is to migrate must lead first;
what stands here stays readable for every version, so nothing in it is ever renamed, removed or given another meaning.
"""

from __future__ import annotations

from typing import LiteralString

import sqlalchemy as sa

SCHEMA = "slipway_replicas"

metadata = sa.MetaData(schema=SCHEMA)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),  # the order in which it was heard
    sa.Column("id", sa.Text, nullable=False, unique=True),  # of the workflow that is to be started
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("replica", sa.Text, nullable=False),
    sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),  # in order: whoever writes is alone while it does
    sa.Column("replica", sa.Text, nullable=False),  # that tells
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
)

CREATE: tuple[LiteralString, ...] = (
    "CREATE SCHEMA IF NOT EXISTS slipway_replicas",
    """CREATE TABLE IF NOT EXISTS slipway_replicas.leader (
        id smallint PRIMARY KEY CHECK (id = 1),
        holder text NOT NULL,
        host text NOT NULL,
        version text NOT NULL,
        schema text NOT NULL,
        epoch bigint NOT NULL,
        renewals bigint NOT NULL,
        since timestamptz,
        wanted_by text NOT NULL
    )""",
    "INSERT INTO slipway_replicas.leader VALUES (1, '', '', '', '', 0, 0, NULL, '') ON CONFLICT DO NOTHING",
    """CREATE TABLE IF NOT EXISTS slipway_replicas.replica (
        id text PRIMARY KEY,
        host text NOT NULL,
        pid integer NOT NULL,
        version text NOT NULL,
        configuration text NOT NULL,
        started_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS slipway_replicas.inbox (
        number bigserial PRIMARY KEY,
        id text NOT NULL UNIQUE,
        workflow text NOT NULL,
        payload text NOT NULL,
        replica text NOT NULL,
        heard_at timestamptz NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS slipway_replicas.notice (
        number bigserial PRIMARY KEY,
        replica text NOT NULL,
        kind text NOT NULL,
        content text NOT NULL,
        told_at timestamptz NOT NULL
    )""",
)
"""Makes all of them, in this order."""

NEWEST = f"{SCHEMA}.notice"
"""Where this one is, the others are."""
