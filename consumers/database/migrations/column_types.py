"""The column types of revisions, frozen: `base.py` may change, these may not."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, BigInteger, DateTime, Integer
from sqlalchemy.dialects.postgresql import JSONB

INSTANT: Final = DateTime(timezone=True)
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
DOCUMENT: Final = JSON().with_variant(JSONB, "postgresql")
