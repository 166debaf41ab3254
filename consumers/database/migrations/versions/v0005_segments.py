"""The warnings of segments."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import DOCUMENT, INSTANT, NUMBER

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "segment_warning_steps",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("warning_id", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("segment_warning_steps_by_warning", "segment_warning_steps", ["warning_id", "step"])
    op.create_table(
        "segment_warnings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.Column("last_type", sa.Text, nullable=False),
        sa.Column("causes", DOCUMENT, nullable=False),
        sa.Column("rule_set", sa.Text, nullable=False),
    )
    op.create_index("segment_warnings_by_state", "segment_warnings", ["state", "tier"])
    op.create_index("segment_warnings_by_segment", "segment_warnings", ["dimension", "value"])
