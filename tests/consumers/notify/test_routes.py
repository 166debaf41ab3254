"""Which routes take a warning: by hand, from the engine's warnings, and as Alertmanager's amtool has it."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.notify.routes import (
    LABELS,
    Labels,
    RateLimit,
    Receiver,
    Route,
    everything_to,
    labels_of,
    labels_of_segment,
)
from lapwing.routes import tree_of
from lapwing.settings.settings import load_settings
from scripts.amtool import fetch
from scripts.debian import Missing
from streams.rulebook.reader import read_document
from streams.rulebook.routes_file import MatchEntry, RoutesFile
from tests.consumers.engine_warnings import warned
from tests.consumers.segment_events import value as segment_value
from tests.consumers.warning_events import value

TEAM, LEAD = Receiver("team", ("desk",)), Receiver("lead", ("mail",), rate_limit=RateLimit(3, timedelta(1)))


def one(**words: str) -> Labels:
    return {label: frozenset([word]) for label, word in words.items()}


def test_the_first_route_that_matches_takes_it_and_the_next_where_it_continues() -> None:
    high = Route("all/high", LEAD, {"tier": ("high",)}, continues=True)
    key = Route("all/key", LEAD, {"class": ("key", "ordinary")})
    last = Route("all/last", TEAM, {"class": ("key",)})
    root = Route("all", TEAM, routes=(high, key, last))
    assert root.find(one(tier="high", **{"class": "key"})) == (high, key)
    assert root.find(one(tier="low", **{"class": "key"})) == (key,)
    assert root.find(one(tier="high")) == (high,)
    assert root.find(one(tier="low")) == (root,)


def test_every_label_must_hold_by_one_of_the_words() -> None:
    route = Route("r", TEAM, {"rule": ("a", "b"), "region": ("north",)})
    assert route.matches({"rule": frozenset(["b", "c"]), "region": frozenset(["north"])})
    assert not route.matches({"rule": frozenset(["c"]), "region": frozenset(["north"])})
    assert not route.matches({"rule": frozenset(["a"])})


def test_the_labels_of_a_warning_of_the_engine() -> None:
    opened, escalated = (json.loads(content)["data"] for content in warned()[:2])
    assert labels_of(opened) == {
        "kind": {"customer"},
        "tier": {"low"},
        "class": {"key"},
        "owner": {"retention-east"},
        "rule": {"fewer-orders"},
        "reason": {"activity_decline"},
        "decision": {"unknown"},
    }
    # What a worse rule hides is shown in no message, so it routes none either.
    assert labels_of(escalated)["rule"] == {"no-order"}
    assert labels_of(json.loads(value())["data"])["rule"] == {"order-collapse"}


def test_the_labels_of_a_segments_warning() -> None:
    data = json.loads(segment_value())["data"]
    labels = labels_of_segment(data)
    assert labels["kind"] == {"segment"}
    assert labels["dimension"] == {data["dimension"]}
    assert labels["value"] == {data["value"]}
    assert data["dimension"] == "region"
    assert labels["region"] == {data["value"]}
    assert labels_of_segment(data | {"dimension": "channel"}).keys() & {"region", "class", "segment"} == set()


def test_what_can_be_matched_on_is_what_the_file_knows() -> None:
    fields = MatchEntry.field_names()
    assert set(fields) == set(LABELS)


def test_the_next_team_is_that_of_the_deadline_that_passed() -> None:
    boss = Receiver("boss", ("mail",))
    route = Route("r", TEAM, escalate_to=(LEAD, boss))
    assert [route.next_team(level) for level in (0, 1, 2, 3)] == [LEAD, LEAD, boss, boss]
    assert Route("r", TEAM).next_team(1) is None


def test_only_medium_and_low_wait_for_a_digest() -> None:
    route = Route("r", TEAM, digest="08:00")
    assert [route.gathers(tier) for tier in ("high", "medium", "low")] == [False, True, True]
    assert not Route("r", TEAM).gathers("low")


def test_without_a_file_everything_goes_to_all_channels() -> None:
    tree = everything_to(["a", "b"])
    assert [each.receiver.channels for each in tree.find({})] == [("a", "b")]


# -- Alertmanager as the oracle ---------------------------------------------------------------------

RECEIVERS = ("r0", "r1", "r2", "r3")
WORDS: dict[str, tuple[str, ...]] = {
    "tier": ("high", "medium", "low"),
    "class": ("key", "small"),
    "region": ("north", "south"),
    "reason": ("service", "price"),
    "decision": ("rescue", "dont"),
}


@pytest.fixture(scope="module")
def amtool() -> Path:
    try:
        return fetch()
    except Missing as reason:
        pytest.skip(str(reason))


matches = st.dictionaries(st.sampled_from(list(WORDS)), st.integers(1, 3), min_size=1, max_size=2).map(
    lambda chosen: {label: list(WORDS[label][:count]) for label, count in chosen.items()}
)


def routes(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.lists(routes(depth - 1), max_size=3) if depth else st.just([])
    return st.fixed_dictionaries(
        {"match": matches, "routes": inner},
        optional={"receiver": st.sampled_from(RECEIVERS), "continue": st.booleans()},
    )


trees = st.lists(routes(1), min_size=1, max_size=4).map(lambda inner: {"receiver": "r0", "routes": inner})
warnings = st.fixed_dictionaries(
    {}, optional={label: st.sampled_from(words) for label, words in WORDS.items()}
)


def for_alertmanager(route: dict[str, Any]) -> dict[str, Any]:
    """Return the same route in Alertmanager's words."""
    match = route.get("match", {})
    made: dict[str, Any] = {name: route[name] for name in ("receiver", "continue") if name in route}
    if match:
        made["matchers"] = [f'{label}=~"{"|".join(words)}"' for label, words in match.items()]
    return made | {"routes": [for_alertmanager(inner) for inner in route["routes"]]}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees, labels=st.lists(warnings, min_size=3, max_size=5))
def test_receivers_are_those_that_amtool_finds(
    amtool: Path, tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], labels: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("amtool")
    theirs = folder / "alertmanager.yml"  # JSON is YAML
    theirs.write_text(
        json.dumps({"route": for_alertmanager(tree), "receivers": [{"name": name} for name in RECEIVERS]})
    )
    receivers = [{"name": name, "channels": ["desk"]} for name in RECEIVERS]
    ours = json.dumps({"version": 1, "receivers": receivers, "route": tree}).encode()
    read = read_document("routes.yaml", ours, RoutesFile)
    assert read.content is not None, read.mistakes
    built = tree_of(read.content, load_settings(environ={}))
    for each in labels:
        words = [f"{label}={word}" for label, word in each.items()]
        command = [str(amtool), "config", "routes", "test", f"--config.file={theirs}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = [route.receiver.name for route in built.find(one(**each))]
        assert ",".join(found) == done.stdout.strip(), (tree, each)
