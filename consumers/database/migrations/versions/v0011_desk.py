"""The tables of the desk."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import DOCUMENT, INSTANT, NUMBER

revision: Final = "0011"
down_revision: Final = "0010"


def upgrade() -> None:
    """Create the tables, and the column of those to whom warnings are given."""
    op.add_column("actions", sa.Column("assignee", sa.Text))
    op.create_table(
        "desk_sessions",
        sa.Column("id_hash", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
    )
    op.create_index("desk_sessions_by_person", "desk_sessions", ["person"])
    op.create_index("desk_sessions_by_end", "desk_sessions", ["ends_at"])
    op.create_table(
        "desk_views",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("shared_with", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.UniqueConstraint("shared_with", "name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "desk_actions",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("group_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("warning_id", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("send_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", INSTANT),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("desk_actions_by_state", "desk_actions", ["state", "send_at"])
    op.create_index("desk_actions_by_customer", "desk_actions", ["customer_id"])
    op.create_index("desk_actions_by_warning", "desk_actions", ["warning_id"])
    op.create_index("desk_actions_by_group", "desk_actions", ["group_id"])
    op.create_table(
        "desk_presence",
        sa.Column("process", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
    )
    op.create_index("desk_presence_by_customer", "desk_presence", ["customer_id"])
    op.create_table(
        "desk_audit",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("detail", DOCUMENT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("desk_audit_by_time", "desk_audit", ["at"])
    op.create_index("desk_audit_by_person", "desk_audit", ["person", "at"])
    op.create_index("desk_audit_by_customer", "desk_audit", ["customer_id"])
