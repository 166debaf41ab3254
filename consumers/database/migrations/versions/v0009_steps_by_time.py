"""The index by which reports find the newest steps."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"


def upgrade() -> None:
    """Create the index."""
    op.create_index("warning_steps_by_time", "warning_steps", ["time"])
