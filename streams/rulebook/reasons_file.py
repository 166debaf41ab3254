"""reasons.yaml: why customers leave, in two levels, and the class of leaving that each is for a win-back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, field_validator

from streams.rulebook.fields import choice, slug, text, version
from streams.rulebook.reader import Document, FileModel, WrongValueError, read_document

WIN_BACK: Final = ("natural", "need_changed", "profit_seeking", "disappointed")
"""The classes of leaving: nobody's doing, other needs, a better offer elsewhere, a disappointment."""
NO_REASONS: Final = ("unknown", "not_reached")
"""What reports show beside the reasons, and what is none."""
SHIPPED: Final = Path(__file__).with_name("reasons.yaml")
"""What holds where no reasons.yaml lies beside the rules; the same as `warning_rules/reasons.yaml`."""

_win_back: Final = choice({word: word for word in WIN_BACK})


def _code(code: str) -> str:
    if code in NO_REASONS:
        msg = f"{code!r} is no reason: reports show it beside them"
        raise WrongValueError(msg)
    return code


class ReasonEntry(FileModel):
    """A reason of the second level."""

    shape: ClassVar[str] = "a reason is a list of fields, each `name: value`"

    id: Annotated[str, slug]
    """The code, as rules, plays and actions name it; unique over both levels."""
    title: Annotated[str, text(120)] = ""
    """One line for people."""
    win_back: Annotated[str | None, _win_back] = None
    """The class of leaving; by default that of its group."""

    @field_validator("id")
    @classmethod
    def _is_a_reason(cls, code: str) -> str:
        return _code(code)


class ReasonGroupEntry(FileModel):
    """A reason of the first level, with those that belong to it."""

    shape: ClassVar[str] = "a group is a list of fields, each `name: value`"

    id: Annotated[str, slug]
    """The code; a rule may name it where none of its reasons fits."""
    title: Annotated[str, text(120)] = ""
    """One line for people."""
    win_back: Annotated[str, _win_back]
    """The class of leaving."""
    reasons: Annotated[list[ReasonEntry], Field(min_length=1)]
    """What belongs to it."""

    @field_validator("id")
    @classmethod
    def _is_a_reason(cls, code: str) -> str:
        return _code(code)


class ReasonsFile(Document):
    """The reasons why customers leave."""

    title: ClassVar[str] = "Lapwing reasons"
    shape: ClassVar[str] = "a file of reasons holds `version: 1` and `groups:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"groups": ("group", "id")}

    version: Annotated[int, version]
    """Of the format."""
    groups: Annotated[list[ReasonGroupEntry], Field(min_length=1, max_length=100)]
    """The first level."""

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse a code that is given twice."""
        seen: dict[str, str] = {}
        for i, group in enumerate(self.groups):
            places: list[tuple[str, tuple[Any, ...]]] = [(group.id, ("groups", i, "id"))]
            places += [(r.id, ("groups", i, "reasons", j, "id")) for j, r in enumerate(group.reasons)]
            for code, place in places:
                if code in seen:
                    msg = f": {code!r} is given twice, first in the group {seen[code]!r}"
                    yield WrongValueError(msg, None, place)
                seen.setdefault(code, group.id)


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with its place in the taxonomy."""

    id: str
    group: str
    """That of the first level; its own id where it is one."""
    title: str
    win_back: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """All reasons by their codes."""

    by_code: Mapping[str, Reason]
    path: str | None = None
    """The file they are from; `None` for those that come with Lapwing."""


def reasons_of(read: ReasonsFile, path: str | None) -> Reasons:
    """Return the reasons of a file by their codes."""
    found: dict[str, Reason] = {}
    for group in read.groups:
        found[group.id] = Reason(group.id, group.id, group.title, group.win_back)
        for each in group.reasons:
            found[each.id] = Reason(each.id, group.id, each.title, each.win_back or group.win_back)
    return Reasons(found, path)


def shipped_reasons() -> Reasons:
    """Return the reasons that come with Lapwing."""
    read = read_document(str(SHIPPED), SHIPPED.read_bytes(), ReasonsFile)
    assert read.content is not None, read.mistakes
    return reasons_of(read.content, None)
