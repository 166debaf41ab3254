"""An index of the outcomes that say who is active, of which a report looks at all."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"

LIFE_TYPES: Final = (
    "churn.customer.acquired",
    "churn.customer.closed",
    "churn.customer.lapsed",
    "churn.customer.returned",
)


def upgrade() -> None:
    """Create the index on PostgreSQL; SQLite takes none whose condition comes as parameters."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "outcomes_of_lives",
            "outcomes",
            ["customer_id", "type", "time"],
            postgresql_where=sa.text(f"type IN {LIFE_TYPES}"),
        )
