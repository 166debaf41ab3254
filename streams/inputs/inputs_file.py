"""inputs.yaml: which foreign records there are, and how each becomes events of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from streams.inputs.source_entry import SourceEntry
from streams.rulebook.fields import SLUG, version
from streams.rulebook.reader import Document, WrongValueError, WrongWhole

MOST_SOURCES: Final = 200


class InputsFile(Document):
    """Which foreign records there are, and how each becomes events of the contract."""

    title: ClassVar[str] = "Lapwing inputs"
    shape: ClassVar[str] = "a file of inputs holds `version: 1` and `sources:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"sources": ("source", "")}

    version: Annotated[int, version]
    """Of the format."""
    sources: Annotated[dict[str, SourceEntry], Field(min_length=1, max_length=MOST_SOURCES)]
    """The sources by name."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse names that are no names, and two sources of one place."""
        sources = given.get("sources")
        if not isinstance(sources, dict):
            return
        topics: dict[str, str] = {}
        for name, source in sources.items():
            if SLUG.fullmatch(name) is None or len(name) > 64:
                msg = f"{name!r} must be lower-case letters, digits, - and _"
                yield WrongWhole(msg, None, ("sources", name))
            topic = source.get("topic") if isinstance(source, dict) else None
            if isinstance(topic, str):
                if topic in topics:
                    msg = (
                        f": source {topics[topic]!r} reads {topic!r} too; give one of them the events of both"
                    )
                    yield WrongValueError(msg, None, ("sources", name, "topic"))
                topics.setdefault(topic, name)
