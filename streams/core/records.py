"""The records of events as text, for a checkpoint, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from streams.core.batch import Action, Closure, Labels, Profile

Record = Profile | Action | Closure | Labels
_RECORDS: Final = {"profile": Profile, "action": Action, "closure": Closure, "labels": Labels}


def record_json(record: Record | None) -> str | None:
    """Return a record as text."""
    return None if record is None else json.dumps([type(record).__name__.lower(), asdict(record)])


def read_record(text: str | None) -> Record | None:
    """Return the record that `record_json` wrote."""
    if text is None:
        return None
    kind, values = json.loads(text)
    if kind == "action":
        values["reasons"] = tuple(values["reasons"])
    record: Record = _RECORDS[kind](**values)
    return record
