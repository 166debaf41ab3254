"""From routes.yaml and the settings to the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consumers.notify.routes import Route
from lapwing.routes import doubtful, read_routes, routes_path
from lapwing.settings.settings import Settings, load_settings
from streams.errors import SettingsError
from streams.rulebook.load import parse_rulebook
from streams.rulebook.reader import RulebookRefused
from tests.paths import ROOT

TEXT = """\
version: 1
receivers:
  - {name: team, channels: all, time_zone: Europe/Berlin}
  - {name: lead, channels: [mail, desk, mail], rate_limit: {messages: 3, per: 1h}}
route:
  receiver: team
  digest: '08:00'
  quiet_hours: {begins: '20:00', ends: '07:00', days: [sat, sun]}
  escalate_to: lead
  routes:
    - name: key
      match: {class: key, rule: overdue}
      receiver: lead
      language: zh
      template: short
      routes:
        - {match: {tier: high}, digest: none, quiet_hours: none, escalate_to: [], template: none}
    - {match: {reason: [silence, servise]}, continue: true}
"""
RULES = "version: 1\nrules:\n  - {id: overdue-now, when: days_since_order >= 9, tier: low, reason: silence}\n"


def settings_of(folder: Path, text: str = TEXT, **environ: str) -> Settings:
    (folder / "routes.yaml").write_text(text)
    return load_settings(environ={"LAPWING_RULES": str(folder), **environ})


def test_a_route_has_from_above_what_it_does_not_set(tmp_path: Path) -> None:
    read = read_routes(settings_of(tmp_path, LAPWING_TIME_ZONE="Asia/Shanghai"), ["desk", "mail"])
    assert read is not None
    root, key, high, last = read.tree.root.walk()
    assert [each.name for each in (root, key, high, last)] == ["all", "all/key", "all/key/1", "all/2"]
    assert root.receiver.channels == ("desk", "mail")
    assert key.receiver.channels == ("mail", "desk")
    assert key.receiver.time_zone == "Asia/Shanghai"
    assert (key.language, key.template, key.digest) == ("zh", "short", "08:00")
    assert root.quiet_hours is not None
    assert root.quiet_hours.time_zone == "Europe/Berlin"
    # The hours are those of whoever gets the notice.
    assert key.quiet_hours == root.quiet_hours.model_copy(update={"time_zone": "Asia/Shanghai"})
    assert [each.name for each in key.escalate_to] == ["lead"]
    assert (high.digest, high.quiet_hours, high.escalate_to, high.template) == (None, None, (), None)
    assert (last.continues, last.language, last.match) == (True, "en", {"reason": ("silence", "servise")})
    assert isinstance(last, Route)


def test_channels_must_be_those_of_the_settings(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert read_routes(settings) is not None
    with pytest.raises(RulebookRefused) as refused:
        read_routes(settings, ["mails", "desk"])
    assert str(refused.value) == (
        f"{tmp_path}/routes.yaml:4: receiver 'lead': `channels`: the settings name no channel 'mail'; "
        "did you mean 'mails'?"
    )


def test_the_file_lies_beside_the_rules_or_where_the_settings_say(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert routes_path(settings) == tmp_path / "routes.yaml"
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    assert routes_path(load_settings(environ={"LAPWING_RULES": str(rules)})) == tmp_path / "routes.yaml"
    elsewhere = tmp_path / "other" / "teams.yaml"
    named = load_settings(environ={"LAPWING_RULES": str(tmp_path), "LAPWING_ROUTES": str(elsewhere)})
    with pytest.raises(SettingsError, match=r"other/teams.yaml: there is no such file"):
        read_routes(named)
    assert read_routes(load_settings(environ={"LAPWING_RULES": str(tmp_path / "none")})) is None


def test_rules_and_reasons_that_there_are_not_are_found(tmp_path: Path) -> None:
    read = read_routes(settings_of(tmp_path))
    assert read is not None
    found = [
        str(each).partition("routes.yaml:")[2] for each in doubtful(read, parse_rulebook({"r.yaml": RULES}))
    ]
    assert found == [
        "12: `rule`: there is no rule 'overdue'; did you mean 'overdue-now'?",
        "18: `reason`: there is no reason 'servise'; did you mean 'service'?",
    ]


def test_the_example_of_the_page_is_right_and_routes_as_the_page_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "notify.md").read_text()
    example = "".join(re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    read = read_routes(settings_of(tmp_path, example), ["chat", "mail", "crm"])
    assert read is not None

    def takes(**words: str) -> list[str]:
        labels = {name.removesuffix("_"): frozenset([word]) for name, word in words.items()}
        return [f"{route.name} {route.receiver.name} {route.language}" for route in read.tree.find(labels)]

    assert takes(tier="low") == ["all team en"]
    assert takes(tier="high", region="east-china", class_="key") == ["all/china shanghai zh"]
    assert takes(tier="high", class_="key") == ["all/key-customers lead en"]
    assert takes(tier="high", class_="key", reason="complaints") == [
        "all/key-customers lead en",
        "all/complaints team en",
    ]
    assert [route.digest for route in read.tree.root.walk()] == ["08:00", "08:00", "08:00", None]
