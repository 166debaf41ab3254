"""Grafana's dashboard: what is shipped is what the code makes, and Grafana's own types read it."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from ruamel.yaml import YAML

from scripts.dashboard import PLACE, SECTIONS, WIDTH, built
from tests.paths import ROOT

BOARD: dict[str, Any] = json.loads(PLACE.read_text())
PANELS: list[dict[str, Any]] = BOARD["panels"]


def test_the_file_is_what_the_code_makes() -> None:
    """`make dashboard` writes it anew."""
    assert PLACE.read_text() == built()


def test_grafanas_types_read_it_and_write_the_same() -> None:
    register_default_plugins()
    again = JSONEncoder(sort_keys=True, indent=2).encode(Dashboard.from_json(BOARD))
    assert json.loads(again) == BOARD


def test_every_panel_says_what_it_shows_and_no_two_are_one() -> None:
    for section in SECTIONS:
        for panel in section.panels:
            assert panel.title, section
            assert panel.about.endswith("."), panel.title
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids) == sum(1 + len(section.panels) for section in SECTIONS)


def test_panels_do_not_lie_on_each_other() -> None:
    places = [
        {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        for grid in (panel["gridPos"] for panel in PANELS)
    ]
    assert all(max(x for x, _ in place) < WIDTH for place in places)
    assert [pair for pair in itertools.combinations(places, 2) if pair[0] & pair[1]] == []


def test_every_query_goes_to_the_source_that_is_chosen_and_has_a_legend() -> None:
    assert [variable["name"] for variable in BOARD["templating"]["list"]] == ["source"]
    for panel in (each for each in PANELS if each["type"] != "row"):
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
        for target in panel["targets"]:
            by = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert target["legendFormat"], panel["title"]
            # A legend that lacks a label would give several series one name.
            assert named == {label for each in by for label in each.split(", ")} - {"le"} or not by


def test_grafana_is_given_the_dashboard_and_its_prometheus() -> None:
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    read = YAML(typ="safe").load
    (source,) = read(folder / "datasources" / "prometheus.yaml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    (provider,) = read(folder / "dashboards" / "lapwing.yaml")["providers"]
    assert provider["options"]["path"] == "/etc/lapwing/grafana"
    assert [path.name for path in (ROOT / "deploy" / "grafana").rglob("*.json")] == [PLACE.name]
