"""Channels, and what is to be sent to them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import INSTANT, NUMBER

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "channels",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("filled_to", sa.BigInteger, nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("step_id", sa.Text, sa.ForeignKey("warning_steps.id"), nullable=False),
        sa.Column("channel", sa.Text, sa.ForeignKey("channels.name"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("last_error", sa.Text),
        sa.UniqueConstraint("step_id", "channel"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_by_due", "outbox", ["channel", "state", "due_at"])
