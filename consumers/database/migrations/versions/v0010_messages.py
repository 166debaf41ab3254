"""Messages by routes, digests and what rate limits gather; the outbox has rows for them too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import INSTANT, NUMBER

revision: Final = "0010"
down_revision: Final = "0009"


def upgrade() -> None:
    """Create the tables, and let an outbox row be about a message instead of a step."""
    op.create_table(
        "messages",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("template", sa.Text),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("step_id", sa.Text, sa.ForeignKey("warning_steps.id")),
        sa.Column("segment_step_id", sa.Text, sa.ForeignKey("segment_warning_steps.id")),
        sa.Column("customer_id", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("day", sa.Date),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("entered_at", INSTANT),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_by_due", "messages", ["state", "due_at"])
    op.create_index("messages_by_receiver", "messages", ["receiver", "entered_at"])
    op.create_index("messages_by_customer", "messages", ["customer_id"])
    op.create_index("messages_by_step", "messages", ["step_id"])
    op.create_table(
        "message_steps",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("message_seq", sa.BigInteger, sa.ForeignKey("messages.seq"), nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("warning_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("step_id", sa.Text, sa.ForeignKey("warning_steps.id")),
        sa.Column("segment_step_id", sa.Text, sa.ForeignKey("segment_warning_steps.id")),
        sa.UniqueConstraint("receiver", "day", "warning_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("message_steps_by_message", "message_steps", ["message_seq"])
    op.create_index("message_steps_by_customer", "message_steps", ["customer_id"])
    op.create_index("message_steps_by_step", "message_steps", ["step_id"])
    op.add_column("channels", sa.Column("disabled_at", INSTANT))
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as outbox:
        outbox.alter_column("step_id", existing_type=sa.Text, nullable=True)
        outbox.add_column(sa.Column("message_seq", sa.BigInteger))
        outbox.add_column(sa.Column("unsure", sa.Boolean, nullable=False, server_default=sa.false()))
        outbox.create_foreign_key("outbox_message_seq_fkey", "messages", ["message_seq"], ["seq"])
        outbox.create_unique_constraint("outbox_message_seq_channel_key", ["message_seq", "channel"])
