"""Case files: strict, all mistakes at once, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from streams.rulebook.cases.case import Case
from streams.rulebook.cases.read import case_files
from streams.rulebook.load import load_rulebook
from streams.rulebook.reader import RulebookRefused

BAD_CASES = Path(__file__).parents[1] / "bad_cases"
CASE = "version: 1\ncases:\n  - {name: x, until: 9d, events: [{order: 0d}], never: a}\n"


def read_cases(paths: Sequence[Path]) -> tuple[Case, ...]:
    """Read cases as they are read where no rules are asked for."""
    return load_rulebook([], paths).cases


def mistakes(*paths: Path) -> list[str]:
    with pytest.raises(RulebookRefused) as refused:
        read_cases(paths)
    return [str(mistake) for mistake in refused.value.mistakes]


@pytest.mark.parametrize("path", sorted(BAD_CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_mistake_in_a_bad_file_is_told_with_its_place(path: Path) -> None:
    expected = path.read_text().splitlines()[0].removeprefix("# expect: ")
    assert mistakes(path) == [f"{path}:{expected}"]


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CASE.replace("9d", "9").replace("0d", "0 days"))
    (tmp_path / "b.yaml").write_text("version: 1\ncases: [\n")
    absent = tmp_path / "absent"
    told = mistakes(tmp_path / "a.yaml", tmp_path / "b.yaml", absent)
    assert [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in told] == [
        "a.yaml:3", "a.yaml:3", "absent", "b.yaml:3",
    ]  # fmt: skip


def test_cases_are_found_in_folders_of_that_name_alone(tmp_path: Path) -> None:
    for name in ("cases/b.yaml", "cases/more/a.yml", "east/cases/c.yaml", "rules.yaml", "cases/.d.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(CASE)
    found = [path.relative_to(tmp_path).as_posix() for path in case_files(tmp_path)]
    assert found == ["cases/b.yaml", "cases/more/a.yml", "east/cases/c.yaml"]
    assert len(case_files(tmp_path / "cases")) == 2
    assert len(case_files(tmp_path / "rules.yaml")) == 1


def test_a_complaint_has_a_name_of_its_own_and_is_resolved_by_the_next_word(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    events = (
        "[{complaint: 1d}, {complaint: 2d}, {complaint: 3d, status: resolved}, {complaint: 4d, customer: b}]"
    )
    path.write_text(CASE.replace("[{order: 0d}]", events))
    (case,) = read_cases([path])
    assert [event.fields["complaint_id"] for event in case.events] == [
        "complaint-1", "complaint-2", "complaint-2", "complaint-3",
    ]  # fmt: skip
