"""Indexes for what is looked up in millions of rows."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    """Create the indexes."""
    op.create_index("warnings_by_opening", "warnings", ["opened_at"])
    op.create_index("warnings_by_update", "warnings", ["updated_at"])
    op.create_index("notices_by_warning", "notices", ["warning_id", "seq"])
    op.create_index("notices_by_reason", "notices", ["verdict", "why"])
    op.create_index("notices_by_silence", "notices", ["silence_id", "verdict", "step_id"])
    if op.get_bind().dialect.name == "postgresql":
        # Whatever the collation, this one finds the beginnings of ids.
        op.create_index(
            "warnings_by_beginning", "warnings", ["id"], postgresql_ops={"id": "text_pattern_ops"}
        )
