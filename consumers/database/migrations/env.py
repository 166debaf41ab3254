"""What Alembic runs: the revisions, on the connection and in the transaction that `runner` gives."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Index
from sqlalchemy.sql.schema import SchemaItem

from consumers.database.prefix import ONLY_ON
from consumers.database.schema import METADATA

connection: Connection = context.config.attributes["connection"]


def is_of_this_dialect(item: SchemaItem, *_: object) -> bool:
    """Return whether a table or index belongs into this database."""
    only_on = item.info.get(ONLY_ON) if isinstance(item, Index) else None
    return only_on in (None, connection.dialect.name)


# SQLite cannot change most of a table in place: batch mode makes it anew.
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,
    include_object=is_of_this_dialect,
)
with context.begin_transaction():
    context.run_migrations()
