"""Warnings and notices on the wire."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.instants import to_us
from streams.contract.warnings import (
    LATEST,
    ControlNotice,
    encode_notice,
    encode_step,
    parse_warning,
    warning_event,
)
from streams.core.decision.decision import Decision, basis_of
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.steps import (
    Acknowledgement,
    AcknowledgementState,
    Cause,
    OperationsNotice,
    Reason,
    Step,
    StepKind,
    Tier,
    Traits,
)
from streams.errors import ContractError

PLAYS = Plays([Play("call", Success(0.2, "prior"), cost=PlayCost(1.0, 2.0, 30.0, 0.1))])
MARCH = 1_298_937_600_000_000

CAUSE = Cause(
    rule="order-collapse",
    version="1f3a5b7c9d0e",
    title="Orders fell under a third of the customer's own pace",
    tier=Tier.HIGH,
    reason="activity_decline",
    owner=None,
    play=None,
    since=MARCH - 86_400_000_000,
    opened_at=MARCH,
    message="1 orders in 30 days, 5 in the 30 before",
    values={"orders_30d": 1, "order_trend": 0.2},
)
STEP = Step(
    kind=StepKind.OPENED,
    customer_id="c-1",
    at=MARCH,
    warning_id="6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11",
    number=1,
    tier=Tier.HIGH,
    opened_at=MARCH,
    causes=(CAUSE,),
    churn_probability=None,
    horizon_days=90,
    model_version=None,
    reasons=(Reason("order_trend", 0.8, 0.2, "activity", "a fifth of the orders"),),
    rule_set="ab12",
    traits=Traits("key", None, "east"),
)

ON_THE_WIRE = (
    '{"specversion":"1.0","id":"6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11/1","source":"/lapwing/shop",'
    '"type":"churn.warning.opened","subject":"c-1","time":"2011-03-01T00:00:00Z",'
    '"datacontenttype":"application/json",'
    '"data":{"warning_id":"6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11","step":1,"customer_id":"c-1",'
    '"customer_class":"key","segment":null,"region":"east","account_owner":null,'
    '"state":"open","tier":"high","opened_at":"2011-03-01T00:00:00Z","attention":null,'
    '"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e",'
    '"title":"Orders fell under a third of the customer\'s own pace","tier":"high",'
    '"reason":"activity_decline","owner":null,"play":null,"since":"2011-02-28T00:00:00Z",'
    '"opened_at":"2011-03-01T00:00:00Z","message":"1 orders in 30 days, 5 in the 30 before",'
    '"values":{"orders_30d":1,"order_trend":0.2},"inhibited_by":null}],"churn_probability":null,"horizon_days":90,'
    '"model_version":null,"reasons":[{"feature":"order_trend","contribution":0.8,"value":0.2,'
    '"group":"activity","text":"a fifth of the orders"}],'
    '"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"ab12"}}'
)


def changed(text: str, other: str) -> bytes:
    """Return a warning as it is sent, with one thing replaced."""
    assert text in ON_THE_WIRE
    return ON_THE_WIRE.replace(text, other, 1).encode()


instants = st.integers(0, to_us(LATEST) - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.none() | st.integers(-(2**53), 2**53) | floats | texts
causes = st.builds(
    Cause,
    rule=texts,
    version=texts,
    title=texts,
    tier=st.sampled_from(Tier),
    reason=texts,
    owner=st.none() | texts,
    play=st.none() | texts,
    since=instants,
    opened_at=instants,
    message=texts,
    values=st.dictionaries(texts, values, max_size=4),
    inhibited_by=st.none() | texts,
)
steps = st.builds(
    Step,
    kind=st.sampled_from(StepKind),
    customer_id=texts,
    at=instants,
    warning_id=st.uuids().map(str),
    number=st.integers(1, 1000),
    tier=st.sampled_from(Tier),
    opened_at=instants,
    causes=st.lists(causes, max_size=3).map(tuple),
    churn_probability=st.none() | st.floats(0, 1),
    horizon_days=st.integers(1, 365),
    model_version=st.none() | texts,
    reasons=st.lists(st.builds(Reason, feature=texts, contribution=floats, value=values), max_size=3).map(
        tuple
    ),
    rule_set=texts,
    acknowledgement=st.none()
    | st.builds(
        Acknowledgement,
        state=st.sampled_from(AcknowledgementState),
        step=st.integers(1, 1000),
        since=instants,
        by=st.none() | texts,
        until=st.none() | instants,
        deadline=st.none() | instants,
        level=st.integers(0, 9),
    ),
    traits=st.builds(Traits, *[st.none() | texts] * 4),
    decision=st.none()
    | st.builds(
        Decision,
        basis=st.builds(
            basis_of,
            plays=st.just(PLAYS),
            labour_rate=st.none() | st.just(0.5),
            named=st.sampled_from([None, "call", "none", "other"]),
            reason=texts,
            customer_class=st.sampled_from([None, "key", "problem"]),
            do_not_contact=st.booleans(),
        ),
        probability=st.none() | st.floats(0, 1),
        value=st.none() | st.floats(-1e6, 1e9),
        order_day_spend=st.none() | st.floats(0, 1e6),
    ),
    holdout=st.booleans(),
)


def test_a_step_stands_on_the_wire_as_the_contract_shows_it() -> None:
    assert encode_step(STEP, "shop").decode() == ON_THE_WIRE


@given(steps)
def test_the_model_writes_what_the_fast_encoder_writes(step: Step) -> None:
    value = encode_step(step, "shop")
    assert json.loads(parse_warning(value).model_dump_json()) == json.loads(value)
    assert list(json.loads(value)) == list(json.loads(parse_warning(value).model_dump_json()))


@given(steps)
def test_a_step_read_back_says_the_same(step: Step) -> None:
    event = warning_event(step, "shop")
    assert event.subject == event.data.customer_id == step.customer_id
    assert event.id == f"{step.warning_id}/{step.number}"
    assert event.data.tier == step.tier.label
    assert [cause.values for cause in event.data.causes] == [cause.values for cause in step.causes]
    assert encode_step(step, "shop") == encode_step(step, "shop")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (StepKind.OPENED, "open"),
        (StepKind.ESCALATED, "open"),
        (StepKind.UPDATED, "open"),
        (StepKind.ACKNOWLEDGED, "open"),
        (StepKind.SNOOZED, "open"),
        (StepKind.RESOLVED, "resolved"),
        (StepKind.WITHDRAWN, "withdrawn"),
        (StepKind.EXPIRED, "expired"),
    ],
)
def test_the_state_follows_from_the_step(kind: StepKind, state: str) -> None:
    event = warning_event(replace(STEP, kind=kind), "shop")
    assert (event.type, event.data.state) == (f"churn.warning.{kind}", state)


def test_microseconds_are_written_only_where_they_are_not_zero() -> None:
    assert (
        json.loads(encode_step(replace(STEP, at=MARCH + 5), "shop"))["time"] == "2011-03-01T00:00:00.000005Z"
    )


def test_an_application_with_a_strange_name_still_makes_a_uri() -> None:
    assert json.loads(encode_step(STEP, "my shop/eu"))["source"] == "/lapwing/my%20shop%2Feu"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"\xff", "not a warning event: Invalid JSON"),
        (b"{}", "specversion: Field required"),
        (ON_THE_WIRE.replace('"step":1', '"step":0').encode(), "data.step"),
        (ON_THE_WIRE.replace("warning.opened", "warning.eaten").encode(), "type"),
        (b"[" * 20_000, "Invalid JSON: recursion limit exceeded"),
        (changed('"churn_probability":null', f'"churn_probability":0{"7" * 400}'), "Invalid JSON"),
        (changed('"churn_probability":null', f'"churn_probability":7{"0" * 400}'), "data.churn_probability"),
        (changed('"churn_probability":null', '"churn_probability":1.01'), "data.churn_probability"),
        (changed('"churn_probability":null', '"churn_probability":"0.7"'), "data.churn_probability"),
        (changed('"churn_probability":null', '"churn_probability":NaN'), "data.churn_probability"),
        (changed('"orders_30d":1', f'"orders_30d":1{"0" * 400}'), "data.causes.0.values.orders_30d"),
        (changed('"contribution":0.8', '"contribution":1e999'), "data.reasons.0.contribution"),
        (changed('"horizon_days":90', '"horizon_days":2147483648'), "data.horizon_days"),
        (changed('"holdout":false', '"holdout":"no"'), "data.holdout"),
        (changed('"time":"2011', '"time":"0001'), "time: Input should be"),
        (changed('"time":"2011', '"time":"9999'), "time: Input should be"),
        (
            changed('"time":"2011-03-01T00:00:00Z"', '"time":1298937600'),
            "time: Input should be a valid datetime",
        ),
        (changed('"time":"2011-03-01T00:00:00Z"', '"time":"2011-03-01"'), "time: Input should"),
        (changed('"since":"2011', '"since":"1011'), "data.causes.0.since: Input should be greater"),
    ],
)
def test_what_is_no_warning_is_refused_in_one_line(value: bytes, words: str) -> None:
    with pytest.raises(ContractError, match=r"not a warning event: ") as caught:
        parse_warning(value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_attention_stands_on_the_wire_with_its_instants() -> None:
    attention = Acknowledgement(
        AcknowledgementState.SNOOZED, 2, MARCH, "ann", until=MARCH + 3_600_000_000, level=1
    )
    step = replace(STEP, kind=StepKind.SNOOZED, number=2, acknowledgement=attention)
    assert json.loads(encode_step(step, "shop"))["data"]["attention"] == {
        "state": "snoozed",
        "step": 2,
        "since": "2011-03-01T00:00:00Z",
        "by": "ann",
        "until": "2011-03-01T01:00:00Z",
        "deadline": None,
        "level": 1,
    }


def test_a_decision_stands_on_the_wire_with_its_numbers() -> None:
    basis = basis_of(PLAYS, 0.5, named=None, reason="silence", customer_class="key", do_not_contact=False)
    step = replace(STEP, churn_probability=0.4, decision=Decision(basis, 0.4, 300.0, 40.0), holdout=True)
    data = json.loads(encode_step(step, "shop"))["data"]
    assert data["decision"] == {
        "play": "call",
        "verdict": "rescue",
        "why": "worth",
        "value": 300.0,
        "probability": 0.4,
        "success": 0.2,
        "success_source": "prior",
        "gain": 0.4 * 0.2 * 300.0,
        "cost": {"gift": 1.0, "communication": 2.0, "labour": 15.0, "discount": 4.0},
        "net": 0.4 * 0.2 * 300.0 - 22.0,
        "break_even": 22.0 / 120.0,
        "missing": [],
    }
    assert (data["value_at_risk"], data["play"], data["holdout"]) == (120.0, "call", True)


def test_a_customer_who_must_not_be_contacted_is_marked_whatever_else_bars_a_rescue() -> None:
    for word, why in (("problem", "problem_class"), ("key", "do_not_contact")):
        basis = basis_of(PLAYS, 0.5, named=None, reason="silence", customer_class=word, do_not_contact=True)
        data = json.loads(encode_step(replace(STEP, decision=Decision(basis, 0.4, 300.0, 40.0)), "shop"))[
            "data"
        ]
        assert (data["decision"]["why"], data["do_not_contact"]) == (why, True)
    assert "do_not_contact" not in json.loads(encode_step(STEP, "shop"))["data"]


def test_the_word_that_stood_for_a_decision_before_is_read() -> None:
    old = parse_warning(changed('"decision":null', '"decision":"unknown"')).data.decision
    assert old is not None
    assert (old.verdict, old.why, old.net, old.cost) == ("unknown", "missing", None, {})
    with pytest.raises(ContractError, match=r"data\.decision"):
        parse_warning(changed('"decision":null', '"decision":{"verdict":"perhaps"}'))


def test_a_warning_of_an_earlier_version_without_attention_is_read() -> None:
    earlier = ON_THE_WIRE.replace('"attention":null,', "").encode()
    assert parse_warning(earlier).data.attention is None


def test_a_field_of_a_later_version_is_passed_over() -> None:
    later = ON_THE_WIRE.replace('"step":1', '"step":1,"mood":"bad"').encode()
    assert parse_warning(later).data.step == 1


def test_a_notice_stands_on_the_wire_and_reads_back() -> None:
    notice = OperationsNotice(
        "topic_quiet_begins", MARCH, 3, {"topic": "orders", "after": 1.5, "n": 2, "none": None}
    )
    value = encode_notice(notice, "shop")
    assert value == (
        b'{"id":"772152ae-2ad3-5a07-b41c-3ff7441ce5cd","app":"shop","kind":"topic_quiet_begins","at":"2011-03-01T00:00:00Z","partition":3,'
        b'"detail":{"topic":"orders","after":1.5,"n":2,"none":null}}'
    )
    assert ControlNotice.model_validate_json(value).model_dump_json().encode() == value
    assert encode_notice(replace(notice, partition=4), "shop")[:40] != value[:40]
