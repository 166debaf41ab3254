"""What Alembic runs: the revisions, on the connection and in the transaction that `runner` gives."""

from __future__ import annotations

from alembic import context

from consumers.database.schema import METADATA

# SQLite cannot change most of a table in place: batch mode makes it anew.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
