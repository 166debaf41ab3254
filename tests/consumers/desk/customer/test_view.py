from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.desk.customer.history import CustomerHistory, read_customer
from consumers.desk.customer.view import (
    arithmetic,
    causes_shown,
    life,
    reason_groups,
    standing_of,
    suggested,
)
from consumers.desk.people.person import Person, Role
from consumers.desk.rulebook import CauseView, RulebookView
from consumers.drafts import Draft
from consumers.sink.kinds import actions as actions_kind
from lapwing.desk import cause_view, rulebook_view
from streams.core.conditions.parser import parse_condition
from streams.core.explain.parts import CustomerRow, Verdict
from streams.core.features.catalogue import DTYPES
from streams.rulebook.load import Rulebook, load_rulebook
from tests.consumers import engine_warnings
from tests.consumers.desk.desks import desk_over
from tests.consumers.stored import store_records
from tests.consumers.warning_events import records
from tests.paths import ROOT

ANN = Person("ann", Role.AGENT)
CUSTOMER = engine_warnings.CUSTOMER


def history_of(database: Database) -> CustomerHistory:
    found = read_customer(database, CUSTOMER)
    assert found is not None
    return found


@pytest.fixture
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(engine_warnings.RULES)
    return load_rulebook(path)


class Files:
    """A rulebook of the rules that made the warnings."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook

    def current(self) -> RulebookView:
        return rulebook_view(self._book)

    def explain(self, rule_id: str, version: str, values: Mapping[str, Any]) -> CauseView | None:
        return cause_view(self._book.rules, rule_id, version, values)


def test_a_cause_has_its_rule_with_ticks_and_the_change_that_would_clear_it(
    database: Database, rules: Rulebook
) -> None:
    store_records(database, records(engine_warnings.warned()[:2]))
    shown = causes_shown(history_of(database), Files(rules))
    assert {each.data["rule"] for each in shown} == {"fewer-orders", "no-order"}
    for each in shown:
        assert each.view is not None
        assert (each.view.when.verdict, each.view.clear.verdict) == ("true", "false")
        parts = each.view.when.parts or (each.view.when,)
        assert [part.verdict for part in parts] == ["true"] * len(parts)
        assert all(part.value is not None for part in parts if part.compares)
        # What is said to clear it does.
        assert each.view.changes
        changed = dict(each.data["values"]) | {change.feature: change.bound for change in each.view.changes}
        whole = {
            name: int(v) if isinstance(each.data["values"][name], int) else v for name, v in changed.items()
        }
        rule = rulebook_view(rules).rule(each.data["rule"])
        assert rule is not None
        now = CustomerRow(whole).verdict(parse_condition(rule.when, DTYPES))
        assert now is Verdict.FALSE or any(change.op in "<>" for change in each.view.changes)


def test_a_rule_that_has_changed_since_is_not_shown_as_if_it_had_warned(database: Database) -> None:
    store_records(database, records(engine_warnings.warned()[:2]))
    other = Files(load_rulebook(ROOT / "warning_rules"))
    assert {each.view for each in causes_shown(history_of(database), other)} == {None}


def test_the_life_of_a_warning_has_its_steps_with_what_joined_and_left(database: Database) -> None:
    store_records(database, records(engine_warnings.attended()))
    history = history_of(database)
    entries = life(history)[::-1]
    kinds = [entry.step.kind for entry in entries if entry.step is not None]
    assert kinds == [json.loads(each)["type"].rpartition(".")[2] for each in engine_warnings.attended()]
    joined = [cause["rule"] for entry in entries for cause in entry.joined]
    assert joined == ["fewer-orders", "no-order"]
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


def test_who_takes_care_is_as_the_engine_says_and_then_as_what_is_on_its_way(database: Database) -> None:
    store_records(database, records(engine_warnings.attended()[:2]))
    at = datetime(2024, 3, 1, tzinfo=UTC)
    actions = desk_over(database, at).actions
    warning = history_of(database).warnings[0].id
    states = []
    for kind, more in (
        ("assign", {"assignee": "bob"}),
        ("acknowledge", {}),
        ("contact", {"result": "reached"}),
        ("unassign", {}),
        ("expire", {}),
    ):
        actions.submit(ANN, [Draft(CUSTOMER, kind, warning, **more)])  # type: ignore[arg-type]  # as `Draft` has them
        found = standing_of(history_of(database), actions.of_customer(CUSTOMER))
        states.append((found.state, found.by, found.assignee))
    assert states == [
        ("waiting", None, "bob"),
        ("acknowledged", "ann", "bob"),
        ("contacted", "ann", "bob"),
        ("contacted", "ann", None),
        ("closing", "ann", None),
    ]


def test_a_contact_that_is_stored_attends_until_it_is_taken_back(database: Database) -> None:
    store_records(database, records(engine_warnings.warned()[:1]))
    history = history_of(database)
    event = Draft(CUSTOMER, "contact", history.warnings[0].id).event("e1", 1_710_000_000_000_000, "ann")
    back = Draft(CUSTOMER, "correct", history.warnings[0].id, corrects="e1").event(
        "e2", 1_710_000_000_000_001, "ann"
    )
    states = []
    for offset, each in enumerate((event, back)):
        content = Record(
            "actions", 0, offset, 1_710_000_000_001, CUSTOMER.encode(), json.dumps(each).encode()
        )
        assert (
            store_records(database, [content], datetime(2024, 4, 1, tzinfo=UTC), actions_kind(0)).stored == 1
        )
        states.append(standing_of(history_of(database), ()).state)
    assert states == ["contacted", None]


def test_the_numbers_of_a_decision_are_those_of_the_record() -> None:
    decision = {
        "play": "care-call", "verdict": "rescue", "why": "worth", "value": 200.0, "probability": 0.5,
        "success": 0.3, "success_source": "prior", "gain": 30.0, "cost": {"gift": 5.0, "labour": 10.0},
        "net": 15.0, "break_even": 0.15, "missing": [],
    }  # fmt: skip
    found = arithmetic(decision, RulebookView())
    assert found is not None
    assert (found.value_at_risk, found.total_cost, found.net) == (100.0, 15.0, 15.0)
    unknown = arithmetic({**decision, "value": None, "cost": {"gift": 5.0, "labour": None}}, RulebookView())
    assert unknown is not None
    assert (unknown.value_at_risk, unknown.total_cost) == (None, None)
    assert arithmetic(None, RulebookView()) is None


def test_suggested_reasons_are_those_of_the_causes_and_all_can_be_chosen(database: Database) -> None:
    store_records(database, records(engine_warnings.warned()[:2]))
    view = rulebook_view(load_rulebook(ROOT / "warning_rules"))
    assert {each.id for each in suggested(history_of(database), view)} == {"activity_decline", "silence"}
    every = [each.id for group in reason_groups(view) for each in group.reasons]
    assert sorted(every) == sorted(each.id for each in view.reasons)
