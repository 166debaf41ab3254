"""Files of test cases -> cases, strictly, with every mistake of every file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from streams.rulebook.cases.case import Case, CaseEvent, Expected, OpenAt
from streams.rulebook.cases.case_file import NEVER, CaseEntry, CaseFile
from streams.rulebook.cases.timeline import Timeline, begin_us
from streams.rulebook.cases.times import Span
from streams.rulebook.files import CASES, yaml_files
from streams.rulebook.reader import Mistake, Place, Places, ReadDocument, entry
from streams.rulebook.yaml import Entries, Scalar


def case_files(path: Path) -> list[Path]:
    """Return the case files that a path stands for: itself, or those in its folders named `cases`."""
    if path.is_file():
        return [path]
    return [
        file for file in yaml_files(path) if path.name == CASES or CASES in file.relative_to(path).parts[:-1]
    ]


def repeated_names(places: Places) -> Iterable[Mistake]:
    """Yield the cases of a file whose name another one has, whatever else is wrong with them."""
    first: dict[str, int] = {}
    several = entry(places.root, "cases")
    for i, node in enumerate(several.values if isinstance(several, Entries) else ()):
        name = entry(node, "name")
        if isinstance(name, Scalar) and name.text and first.setdefault(name.text, node.line) != node.line:
            message = f"the name is taken by the case in line {first[name.text]}"
            yield places.mistake(node, ("cases", i), message, None, name.text)


def cases_of(read: ReadDocument[CaseFile]) -> tuple[list[Case], list[Mistake]]:
    """Return the cases of a file that was read without mistakes, and what is wrong with their timelines."""
    assert read.content is not None
    assert read.places is not None
    cases: list[Case] = []
    mistakes: list[Mistake] = []
    for number, each in enumerate(read.content.cases):
        made = _CaseMaker(read.content, read.places, ("cases", number), mistakes)
        cases.append(made.case(each))
    return cases, mistakes


class _CaseMaker:
    """Makes a case of what its entry says, with the lines at which it does."""

    def __init__(self, file: CaseFile, places: Places, place: Place, mistakes: list[Mistake]) -> None:
        self._file = file
        self._places = places
        self._place = place
        self._mistakes = mistakes

    def case(self, given: CaseEntry) -> Case:
        settings = self._file.settings.engine()
        named: dict[str, int] = {}
        for rule, place in given.named_rules():
            named.setdefault(rule, self._line(*place))
        return Case(
            name=given.name,
            path=self._places.path,
            line=self._line(),
            events=self._events(given, begin_us(self._file.start, settings.time_zone)),
            until=given.until,
            rules=given.rules,
            expected=tuple(self._expected(given, i) for i in range(len(given.expect))),
            never={rule: self._line("never", i) for i, rule in enumerate(given.never)},
            open_at=tuple(OpenAt(at, rules, self._line("open", key)) for at, key, rules in given.open),
            probability=tuple((at, probability) for at, _, probability in given.probability),
            others=given.others,
            start=self._file.start,
            settings=settings,
            named=named,
        )

    def _line(self, *inside: str | int) -> int:
        return self._places.node((*self._place, *inside)).line

    def _events(self, given: CaseEntry, begin: int) -> tuple[CaseEvent, ...]:
        timeline = Timeline(begin)
        events: list[CaseEvent] = []
        for i, each in enumerate(given.events):
            place: Place = (*self._place, "events", i)

            def refuse(wrong: Exception, place: Place = place) -> None:
                at: Place = (*place, *getattr(wrong, "at", ()))
                self._mistakes.append(self._places.mistake(self._places.node(at), at, str(wrong)))

            events += timeline.events(each, self._places.node(place).line, refuse)
        return tuple(events)

    def _expected(self, given: CaseEntry, number: int) -> Expected:
        expected = given.expect[number]
        return Expected(
            rule=expected.rule,
            subject=expected.subject,
            of_segment=expected.segment is not None,
            line=self._line("expect", number),
            opens=expected.opens,
            resolves=expected.resolves if isinstance(expected.resolves, Span) else None,
            withdrawn=expected.withdrawn,
            stays_open=expected.resolves == NEVER,
            tier=expected.tier,
            message=expected.message,
            lines=self._lines("expect", number),
        )

    def _lines(self, *inside: str | int) -> Mapping[str, int]:
        return self._places.lines((*self._place, *inside))
