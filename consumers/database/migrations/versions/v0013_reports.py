"""Indexes by which a report of millions of steps reads only what it counts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"

GIVEN: Final = sa.text("corrects IS NOT NULL")


def upgrade() -> None:
    """Create them, and let that of a warning's steps say how each left it (SQLite cannot)."""
    op.create_index("actions_by_kind", "actions", ["kind", "time"])
    op.create_index(
        "actions_of_corrections",
        "actions",
        ["customer_id", "corrects"],
        postgresql_where=GIVEN,
        sqlite_where=GIVEN,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("warning_steps_by_warning", "warning_steps")
        op.create_index(
            "warning_steps_by_warning",
            "warning_steps",
            ["warning_id", "step"],
            postgresql_include=["time", "state", "tier"],
        )
