"""Who takes care of a warning."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import INSTANT

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("warnings", sa.Column("attention", sa.Text))
    op.add_column("warnings", sa.Column("attended_by", sa.Text))
    op.add_column("warnings", sa.Column("attended_until", INSTANT))
    op.add_column("warnings", sa.Column("deadline", INSTANT))
