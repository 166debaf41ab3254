"""Silences, and what became of each notice."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import DOCUMENT, INSTANT, NUMBER

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Create the tables; what channels have had counts as sent."""
    op.create_table(
        "silences",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.Column("expired_at", INSTANT),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("step_id", sa.Text, sa.ForeignKey("warning_steps.id"), nullable=False),
        sa.Column("warning_id", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("rules", DOCUMENT, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("silence_id", sa.Text),
        sa.Column("look_again_at", INSTANT),
        sa.Column("by_wall_clock", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("judged_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("notices_by_customer", "notices", ["customer_id", "at"])
    op.create_index("notices_by_verdict", "notices", ["verdict", "look_again_at"])
    op.create_index("notices_by_step", "notices", ["step_id"])
    op.create_table(
        "judging",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("judged_to", sa.BigInteger, nullable=False),
        sa.Column("event_time", INSTANT),
    )
    op.execute(
        "INSERT INTO notices (step_id, warning_id, step, customer_id, kind, at, tier, rules, verdict,"
        " by_wall_clock, judged_at)"
        " SELECT id, warning_id, step, customer_id, substr(type, 15), time, tier, '[]', 'told',"
        " false, received_at FROM warning_steps"
        " WHERE type IN ('churn.warning.opened', 'churn.warning.escalated')"
        " AND seq <= (SELECT max(filled_to) FROM channels) ORDER BY seq"
    )
    op.execute(
        "INSERT INTO judging (name, judged_to) SELECT 'notices', coalesce(max(filled_to), 0) FROM channels"
    )
    # From now on a channel's place counts notices, not steps.
    op.execute(
        "UPDATE channels SET filled_to = (SELECT coalesce(max(notices.seq), 0) FROM notices"
        " JOIN warning_steps ON warning_steps.id = notices.step_id"
        " WHERE warning_steps.seq <= channels.filled_to)"
    )
