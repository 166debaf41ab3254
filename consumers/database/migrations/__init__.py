"""From any older version of the database to this one, forward only: Alembic and its revisions."""
