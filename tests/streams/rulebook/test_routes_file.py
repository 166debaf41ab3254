"""routes.yaml: strict, every mistake at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from streams.rulebook.files import rule_files
from streams.rulebook.load import load_rulebook
from streams.rulebook.reader import json_schema, read_document
from streams.rulebook.routes_file import RoutesFile, walk
from tests.paths import ROOT
from tests.streams.rulebook.test_schema import fits

BAD = sorted((Path(__file__).parent / "bad_routes").glob("*.yaml"))
WRONG = b"""\
version: 1
receivers:
  - {name: team, channels: desk, time_zone: Europe/Berlim}
  - {name: team, channels: mail, rate_limit: {messages: 0, per: 1h}}
route:
  receiver: taem
  digest: '25:00'
  routes:
    - {match: {tier: hihg, colour: red}, escalate_to: boss}
"""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_mistake_in_a_bad_file_is_named_with_its_place(path: Path) -> None:
    content = path.read_bytes()
    expected = content.decode().splitlines()[0].removeprefix("# expect: ")
    found = read_document("routes.yaml", content, RoutesFile)
    assert [str(each) for each in found.mistakes] == [f"routes.yaml:{expected}"]
    assert found.content is None


def test_there_is_a_bad_file_for_each_promise() -> None:
    assert len(BAD) >= 20


def test_all_mistakes_come_at_once() -> None:
    found = read_document("r.yaml", WRONG, RoutesFile)
    assert sorted(str(each).removeprefix("r.yaml:") for each in found.mistakes) == [
        "3: receiver 'team': `time_zone` is no time zone: 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        "4: receiver 'team': `messages` must be a whole number from 1 to 100000, not '0'",
        "4: receiver 'team': `name`: 'team' is given twice",
        "6: `receiver`: there is no receiver 'taem'; did you mean 'team'?",
        "7: `digest` must be a local time such as '08:00', not '25:00'",
        "9: `escalate_to`: there is no receiver 'boss'",
        "9: `tier` must be low, medium or high, not 'hihg'; did you mean 'high'?",
        "9: unknown field 'colour'",
    ]


def test_what_a_file_says_is_what_is_read() -> None:
    content = b"""\
version: 1
receivers: [{name: team, channels: all}]
route:
  receiver: team
  routes:
    - match: {class: [key, small], rule: overdue}
      continue: true
      digest: 08:00
      quiet_hours: none
      routes: [{match: {decision: rescue}, escalate_to: []}]
"""
    found = read_document("r.yaml", content, RoutesFile).content
    assert found is not None
    routes = dict(walk(found.route))
    outer, inner = routes["routes", 0], routes["routes", 0, "routes", 0]
    assert outer.match.words == {"class": ("key", "small"), "rule": ("overdue",)}
    assert (outer.continues, outer.digest, outer.quiet_hours) == (True, "08:00", "none")
    assert inner.match.words == {"decision": ("rescue",)}
    assert inner.escalate_to == ()
    assert fits(YAML(typ="safe", pure=True).load(content), json_schema(RoutesFile))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_schema_takes_no_file_whose_mistake_it_can_see(path: Path) -> None:
    unseen = [
        "receiver 'taem'",
        "no receiver 'lead'",
        "receiver 'boss'",
        "given twice",
        "takes everything",
        "root",
        "'all' beside",
    ]
    unseen += ["time zone", "longer than 0"]
    expected = path.read_text().splitlines()[0]
    content = YAML(typ="safe", pure=True).load(path.read_text())
    assert fits(content, json_schema(RoutesFile)) == any(words in expected for words in unseen)


def test_a_file_of_routes_is_no_part_of_the_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nrules:\n  - {id: a, when: days_since_order >= 9, tier: low, reason: silence}\n"
    )
    before = load_rulebook(tmp_path).rules.hash
    (tmp_path / "routes.yaml").write_bytes(WRONG)
    assert rule_files(tmp_path) == [rules]
    assert load_rulebook(tmp_path).rules.hash == before


def test_the_shipped_routes_can_be_read() -> None:
    path = ROOT / "warning_rules" / "routes.yaml"
    found = read_document(path.name, path.read_bytes(), RoutesFile)
    assert found.mistakes == []
    assert path.read_text().startswith("# yaml-language-server: $schema=routes.schema.json\n")
    assert fits(YAML(typ="safe", pure=True).load(path.read_text()), json_schema(RoutesFile))
