"""All tables together."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from consumers.database import aside, desk, events, learning, notices, outcomes, warnings
from consumers.database.base import Base

TABLES: Final = (aside, desk, events, learning, notices, outcomes, warnings)
"""The modules that declare them: whoever adds one names it here."""

METADATA: Final[MetaData] = Base.metadata
