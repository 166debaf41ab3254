"""An index of what has matured by when it opened: a report asks for what opened in its period."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"

GIVEN: Final = sa.text("opened_at IS NOT NULL")


def upgrade() -> None:
    """Create it; other outcomes are not in it."""
    op.create_index(
        "outcomes_by_opening",
        "outcomes",
        ["type", "opened_at"],
        postgresql_where=GIVEN,
        sqlite_where=GIVEN,
    )
