"""people.yaml: strict, every mistake at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from streams.rulebook.files import rule_files
from streams.rulebook.people_file import PeopleFile
from streams.rulebook.reader import json_schema, read_document
from tests.streams.rulebook.test_schema import fits

BAD = sorted((Path(__file__).parent / "bad_people").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_mistake_in_a_bad_file_is_named_with_its_place(path: Path) -> None:
    content = path.read_bytes()
    expected = content.decode().splitlines()[0].removeprefix("# expect: ")
    found = read_document("people.yaml", content, PeopleFile)
    assert [str(each) for each in found.mistakes] == [f"people.yaml:{expected}"]
    assert found.content is None


def test_there_is_a_bad_file_for_each_promise() -> None:
    assert len(BAD) >= 15


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_schema_takes_no_file_whose_mistake_it_can_see(path: Path) -> None:
    unseen = ("given twice", "time zone", "there is no team")
    expected = path.read_text().splitlines()[0]
    content = YAML(typ="safe", pure=True).load(path.read_text())
    assert fits(content, json_schema(PeopleFile)) == any(words in expected for words in unseen)


def test_all_mistakes_come_at_once() -> None:
    content = b"""\
version: 1
teams: [{name: North}]
people:
  - {name: ann, role: chief, team: south, time_zone: Mars}
  - {name: ann, role: agent}
"""
    found = read_document("p.yaml", content, PeopleFile)
    assert sorted(each.line for each in found.mistakes) == [2, 4, 4, 4, 5]


def test_a_file_of_people_is_no_part_of_the_rules(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text("version: 1\npeople: []\n")
    (tmp_path / "rules.yaml").write_text("version: 1\n")
    assert rule_files(tmp_path) == [tmp_path / "rules.yaml"]
