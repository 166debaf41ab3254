"""Another kind of file is one more model: read strictly, with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from streams.rulebook.fields import duration, number, slug, text, version
from streams.rulebook.reader import (
    Document,
    FileModel,
    WrongValueError,
    WrongWhole,
    json_schema,
    read_document,
)


class Play(FileModel):
    """What the team does."""

    shape: ClassVar[str] = "a play is a list of fields"

    id: Annotated[str, slug]
    """Its name."""
    title: Annotated[str, text(20)] = ""
    """One line for people."""
    lasts_us: Annotated[int, duration] = Field(0, alias="for")
    """How long it takes."""
    least: Annotated[float, number(0, 10)] = 0
    """The least it costs."""
    most: Annotated[float, number(0, 10)] = 10
    """The most it costs."""

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse a range that is none."""
        if self.least > self.most:
            yield WrongWhole("`least` is above `most`", None, ("least",))


class PlayFile(Document):
    """A file of plays."""

    title: ClassVar[str] = "Plays"
    shape: ClassVar[str] = "a file of plays has `version: 1` and `plays:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"plays": ("play", "id")}

    version: Annotated[int, version]
    """Of the format."""
    plays: list[Play] = Field(min_length=1)
    """The plays."""


def mistakes(content: str) -> list[str]:
    return [str(each) for each in read_document("plays.yaml", content.encode(), PlayFile).mistakes]


def test_a_good_file_is_its_model() -> None:
    content = b"version: 1\nplays:\n  - {id: call, for: 2h, least: 3}\n"
    read = read_document("plays.yaml", content, PlayFile)
    assert read.mistakes == []
    assert read.content is not None
    (play,) = read.content.plays
    assert (play.id, play.lasts_us, play.least, play.most) == ("call", 7_200_000_000, 3, 10)
    assert read.places is not None
    assert read.places.lines(("plays", 0)) == {"id": 3, "for": 3, "least": 3}


def test_every_mistake_has_its_line_its_item_and_the_likely_right_value() -> None:
    content = """\
version: 1
plays:
  - id: call
    titel: Ring up
    for: 2 hours
    least: 11
  - title: a title that is much too long for a line
    id: Call Me
  - id: mail
    least: 5
    most: 4
    most: 3
  - mail
"""
    assert mistakes(content) == [
        "plays.yaml:12: play 'mail': `most` is given twice, first in line 11",
        "plays.yaml:4: play 'call': unknown field 'titel'; did you mean 'title'?",
        "plays.yaml:5: play 'call': `for` '2 hours' is not a duration: write a whole number and a unit, "
        "such as 250ms, 30s, 10m, 12h, 2d or 1w; did you mean '2h'?",
        "plays.yaml:6: play 'call': `least` must be a number from 0 to 10, not '11'",
        "plays.yaml:8: play 'Call Me': `id` 'Call Me' must be lower-case letters, digits, - and _; "
        "did you mean 'call-me'?",
        "plays.yaml:7: play 'Call Me': `title` is longer than 20 characters",
        "plays.yaml:10: play 'mail': `least` is above `most`",
        "plays.yaml:13: play 'number 4': a play is a list of fields",
    ]


def test_columns_are_those_of_the_values() -> None:
    read = read_document("plays.yaml", b"version: 1\nplays: [{id: call, least: x}]\n", PlayFile)
    assert [(each.line, each.column, each.value) for each in read.mistakes] == [(2, 27, "x")]


def test_what_is_missing_is_placed_where_it_should_be() -> None:
    assert mistakes("plays:\n  - title: x\n") == [
        "plays.yaml:1: `version` is missing",
        "plays.yaml:2: play 'number 1': `id` is missing",
    ]
    assert mistakes("version: 1\nplays:\n") == [
        "plays.yaml:2: `plays` is empty; leave the field out or write something"
    ]
    assert mistakes("version: 1\nplays: []\n") == ["plays.yaml:2: `plays` is empty"]
    assert mistakes("version: 1\nplays: {}\n") == [
        "plays.yaml:2: `plays` must be a list: each play begins with a dash"
    ]
    assert mistakes("- 1\n") == ["plays.yaml:1: a file of plays has `version: 1` and `plays:`"]


def test_its_schema_is_made_from_the_model() -> None:
    schema = json_schema(PlayFile)
    play = schema["$defs"]["Play"]
    assert schema["title"] == "Plays"
    assert schema["required"] == ["version", "plays"]
    assert play["additionalProperties"] is False
    assert play["required"] == ["id"]
    assert play["properties"]["for"]["description"] == "How long it takes."
    assert play["properties"]["least"] == {
        "type": "number", "minimum": 0, "maximum": 10, "default": 0, "description": "The least it costs.",
    }  # fmt: skip
