"""Runs migrations on the connection that `slipway.bot.store.database` hands over."""

from alembic import context

from slipway.bot.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
