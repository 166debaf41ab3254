"""What a warning's play should gain beyond its cost."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from consumers.database.migrations.column_types import DOCUMENT

revision: Final = "0006"
down_revision: Final = "0005"

_steps: Final = sa.table(
    "warning_steps", sa.column("warning_id"), sa.column("step"), sa.column("data", DOCUMENT)
)
_warnings: Final = sa.table(
    "warnings", sa.column("id"), sa.column("decision"), sa.column("last_step"), sa.column("net", sa.Float)
)


def upgrade() -> None:
    """Add the column and fill it from the decisions that are stored."""
    op.add_column("warnings", sa.Column("net", sa.Float))
    steps, warnings = _steps.c, _warnings.c
    decided = sa.select(warnings.id, steps.data).where(
        warnings.decision.is_not(None), steps.warning_id == warnings.id, steps.step == warnings.last_step
    )
    found = [
        {"which": row.id, "net_of_it": row.data["decision"].get("net")}
        for row in op.get_bind().execute(decided)
        if isinstance(row.data.get("decision"), dict)
    ]
    if found:
        filled = sa.update(_warnings).where(warnings.id == sa.bindparam("which"))
        op.get_bind().execute(filled.values(net=sa.bindparam("net_of_it")), found)
