"""What a lint finds doubtful in a file that loads: its place, a code, what is wrong and a way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """It cannot do what it is for."""
    WARNING = "warning"
    """It was most likely meant otherwise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt about one thing in a file; `line` counts from 1."""

    path: str
    line: int
    severity: Severity
    code: str
    kind: str
    """What it is about: a `rule`, a `play`, a `source`."""
    name: str
    """The id or name of that."""
    message: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: {self.severity} {self.code}"
        return f"{place}: {self.kind} {self.name!r}: {self.message}; {self.hint}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, with the name under what it is the name of, as mistakes have it."""
        return {
            "path": self.path,
            "line": self.line,
            "severity": self.severity.value,
            "code": self.code,
            self.kind: self.name,
            "message": self.message,
            "hint": self.hint,
        }
