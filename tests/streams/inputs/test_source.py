"""Records become events: sources, conversions, filters, keys, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from streams.contract.decode import decode_poll
from streams.contract.rejected import RefusalReason
from streams.core.events.topics import Topic
from streams.inputs.fields import hash_of
from tests.streams.inputs.mappings import mapped, one_event, record, records, refusals, source

ORDERS = """
- to: orders
  where: {state: [paid, refunded]}
  fields:
    event_id: {hash: [id, state]}
    customer_id: {path: customer.id, prefix: shop-}
    occurred_at: {path: created, time: epoch_ms}
    order_id: id
    amount: {path: cents, minor_units: EUR}
    status: {path: state, map: {paid: placed, refunded: returned}}
    currency: {constant: EUR}
"""


def order(**fields: Any) -> dict[str, Any]:
    return {"id": 7, "state": "paid", "customer": {"id": 5}, "created": 1709287200000, "cents": 1250} | fields


def decoded(made: Any, given: list[Any], keys: list[bytes | None] | None = None) -> Any:
    return made.decode(records(given), keys, None, max_skew_us=0)


def test_an_order_of_a_shop_becomes_one_of_the_contract() -> None:
    assert mapped(source(ORDERS), [order(), order(state="open"), order(id="8", state="refunded")]) == [
        {
            "event_id": hash_of(["7", "paid"]),
            "customer_id": "shop-5",
            "occurred_at": "2024-03-01T10:00:00Z",
            "order_id": "7",
            "amount": 12.5,
            "status": "placed",
            "currency": "EUR",
        },
        {
            "event_id": hash_of(["8", "refunded"]),
            "customer_id": "shop-5",
            "occurred_at": "2024-03-01T10:00:00Z",
            "order_id": "8",
            "amount": 12.5,
            "status": "returned",
            "currency": "EUR",
        },
    ]


def test_what_no_filter_takes_is_passed_over_and_counted() -> None:
    found = source(ORDERS).map(records([order(state="open"), order(), b"[]", order(state=None)]))
    assert (found.passed, len(found.refused), len(found.parts[0].values)) == (2, 1, 1)
    assert found.parts[0].index.tolist() == [1]
    assert found.customers == [["shop-5"]]


def test_a_bad_record_costs_no_other_one() -> None:
    given: list[Any] = [
        order(id=1),
        b"{",
        b"7",
        b"\xff",
        order(customer=5),
        order(customer={"id": ["x"]}),
        order(cents="12,50"),
        order(created="yesterday"),
        order(customer={}),
        order(cents=-1),
        b'{"state":"paid","x":' + b"[" * 300 + b"]" * 300 + b"}",
        None,
        order(id=2),
    ]
    found = decoded(source(ORDERS), given)
    assert found.index.tolist() == [0, 12]
    assert [(each.index, each.reason.value) for each in found.refused] == [
        (1, "not_json"),
        (2, "not_object"),
        (3, "not_json"),
        (4, "wrong_type"),
        (5, "wrong_type"),
        (6, "wrong_type"),
        (7, "wrong_value"),
        (8, "missing_field"),
        (9, "out_of_range"),
        (10, "not_json"),
        (11, "no_value"),
    ]
    details = {each.index: each.detail for each in found.refused}
    assert details[6] == "shop: amount from cents is no number"
    assert details[7] == "shop: occurred_at from created does not have the form that `time` says"
    assert details[8] == "shop: customer_id from customer.id is not there"
    assert details[9] == "shop: amount from cents: Input should be greater than or equal to 0"


def test_a_refusal_never_shows_what_a_field_holds() -> None:
    given = [order(cents="secret"), order(created="secret"), order(customer={"id": "secret" * 100})]
    assert len(decoded(source(ORDERS), given).refused) == 3
    assert "secret" not in str(decoded(source(ORDERS), given).refused)


def test_a_mapped_poll_decodes_as_the_same_events_of_the_contract() -> None:
    given = records([order(id=i, cents=i * 100 + 1) for i in range(50)])
    made = source(ORDERS)
    one, other = made.decode(given, None, None, max_skew_us=0), made.map(given).parts[0]
    same = decode_poll(Topic.ORDERS, other.values, None, None, max_skew_us=0)
    assert one.batch.event_id.tolist() == same.batch.event_id.tolist()
    assert one.batch.amount.tolist() == same.batch.amount.tolist()
    assert one.batch.amount.tolist() == [(i * 100 + 1) * 10_000 for i in range(50)]


TWICE = """
- to: orders
  fields: {event_id: id, customer_id: customer, occurred_at: at, order_id: id, amount: sum}
- to: profiles
  where: {region: {present: true}}
  fields: {event_id: {path: id, prefix: p-}, customer_id: customer, occurred_at: at, region: region}
"""


def test_one_record_may_become_two_events() -> None:
    found = decoded(source(TWICE), [record(sum=1), record(sum=2, region="north")])
    assert found.index.tolist() == [0, 1, 1]
    assert found.batch.event_id.tolist() == ["e1", "e1", "p-e1"]
    assert source(TWICE).topics == (Topic.ORDERS, Topic.PROFILES)


def test_a_record_of_which_one_event_is_refused_is_refused_once_and_keeps_the_other() -> None:
    found = decoded(source(TWICE), [record(sum="x", region="north"), record(customer=None, region="north")])
    assert found.index.tolist() == [0]
    assert [(each.index, each.reason.value) for each in found.refused] == [
        (0, "wrong_type"),
        (1, "missing_field"),
    ]


def test_a_key_is_the_customer_with_the_prefix() -> None:
    found = decoded(source(ORDERS), [order(), order(), order()], [b"5", b"shop-5", None])
    assert found.index.tolist() == [1]
    assert [each.reason for each in found.refused] == [RefusalReason.KEY_MISMATCH] * 2
    assert "lapwing import --follow" in found.refused[0].detail
    trusted = source(ORDERS, "topic: shop\nkey: trusted")
    assert decoded(trusted, [order()], [b"anything"]).refused == []


def test_a_time_after_that_of_the_record_is_refused() -> None:
    made = source(ORDERS)
    found = made.decode(records([order(), order()]), None, [1709287200000, 1709287100000], max_skew_us=0)
    assert [(each.index, each.reason) for each in found.refused] == [(1, RefusalReason.FUTURE_TIME)]


def test_a_tombstone_is_passed_over_where_a_source_feeds_profiles() -> None:
    found = source(TWICE).map([None])
    assert (found.refused, found.passed) == ([], 1)


def test_events_that_the_contract_refuses_can_be_taken_out() -> None:
    made = source(ORDERS)
    found = made.judged(made.map(records([order(cents=-5), order(id=2)])), max_skew_us=0)
    assert [each.index for each in found.refused] == [0]
    assert found.parts[0].index.tolist() == [1]
    assert json.loads(found.parts[0].values[0])["order_id"] == "2"
    assert found.customers == [["shop-5"]]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("channel: v", 5, "5"),
        ("channel: v", 5.0, "5"),
        ("channel: v", 0.5, "0.5"),
        ("channel: v", True, "true"),
        ("channel: v", 2**70, str(2**70)),
        ("channel: {path: v, trim: true, upper: true}", " a\u00a0", "A"),
        ("channel: {path: v, lower: true}", "ÄB", "äb"),
        ("channel: {path: v, whole: true}", "13085.0", "13085"),
        ("channel: {path: v, whole: true}", "13085.50", "13085.50"),
        ("channel: {path: v, whole: true}", "1.0.0", "1.0.0"),
        ("channel: {path: v, map: {1: web, 2: app}}", 1, "web"),
        ("channel: {path: v, map: {1: web}, otherwise: other}", "x", "other"),
        ("channel: {path: v, default: web}", None, "web"),
        ("channel: {path: v, default: web}", "", "web"),
        ("channel: {path: v, trim: true, default: web}", "  ", "web"),
        ("channel: {path: v, prefix: 'a-', default: web}", "x", "a-x"),
        ("channel: {first_of: [none, v, id]}", "x", "x"),
        ("channel: {first_of: [none, v, id]}", "", "e1"),
        ("channel: {hash: [v, none]}", "x", hash_of(["x", None])),
    ],
)
def test_texts(field: str, value: Any, expected: str) -> None:
    assert mapped(one_event("logins", field), [record(v=value)])[0]["channel"] == expected


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("{path: v}", {"v": "12.5"}, 12.5),
        ("{path: v, decimal: comma}", {"v": "1.234,5"}, 1234.5),
        ("{path: v, minor_units: JPY}", {"v": 500}, 500.0),
        ("{path: v, minor_units: {path: cur}}", {"v": 500, "cur": "kwd"}, 0.5),
        ("{path: v, minor_units: KWD}", {"v": 7332489}, 7332.489),
        ("{path: v, absolute: true}", {"v": -5}, 5.0),
        ("{product: [v, w]}", {"v": "3", "w": 2.5}, 7.5),
        ("{product: [v, w], absolute: true, decimal: comma}", {"v": "-3", "w": "2,5"}, 7.5),
        ("{path: v, default: 0}", {}, 0.0),
        ("{constant: 3.5}", {}, 3.5),
        ("{path: v, map: {big: 100}}", {"v": "big"}, 100.0),
    ],
)
def test_amounts(field: str, values: dict[str, Any], expected: float) -> None:
    made = one_event("orders", f"order_id: id\namount: {field}")
    assert mapped(made, [record(**values)])[0]["amount"] == expected


@pytest.mark.parametrize(
    ("field", "values", "reason", "detail"),
    [
        ("{path: v, minor_units: {path: cur}}", {"v": 5}, "missing_field", "of cur, which is not there"),
        ("{path: v, minor_units: {path: cur}}", {"v": 5, "cur": "X"}, "wrong_value", "is no currency of ISO"),
        (
            "{path: v, map: {a: 1}}",
            {"v": "b"},
            "unmapped",
            "amount from v is a word that `map` does not name",
        ),
        ("{product: [v, w]}", {"v": 5, "w": "x"}, "wrong_type", "amount from w is no number"),
        ("{product: [v, w]}", {"v": 5}, "missing_field", "amount from v, w is not there"),
        ("{first_of: [v, w]}", {"v": [], "w": 3}, "wrong_type", "amount from v holds a list or an object"),
    ],
)
def test_amounts_that_are_refused(field: str, values: dict[str, Any], reason: str, detail: str) -> None:
    made = one_event("orders", f"order_id: id\namount: {field}")
    [(place, why, what)] = refusals(made, [record(**values)])
    assert (place, why) == (0, reason)
    assert detail in what


def test_other_kinds_of_fields() -> None:
    made = one_event(
        "profiles",
        """
        do_not_contact: {path: v, map: {Y: true, N: false}}
        signed_up_at: {path: since, time: '%d.%m.%Y', zone: Europe/Berlin}
        """,
    )
    assert mapped(made, [record(v="Y", since="01.03.2024"), record(v="N", since="")])[0:2] == [
        {**_common(), "do_not_contact": True, "signed_up_at": "2024-02-29T23:00:00Z"},
        {**_common(), "do_not_contact": False, "signed_up_at": None},
    ]
    made = one_event("actions", "kind: {constant: contact}\nreasons: why\ncost: cost")
    assert mapped(made, [record(why="price", cost="2"), record()]) == [
        {**_common(), "kind": "contact", "reasons": ["price"], "cost": 2.0},
        {**_common(), "kind": "contact", "reasons": None, "cost": None},
    ]
    made = one_event("complaints", "complaint_id: id\nsatisfaction: v\nstatus: {constant: resolved}")
    found = decoded(made, [record(v="4"), record(v=4.0), record(v=4.5)])
    assert found.batch.satisfaction.tolist() == [4, 4]
    assert len(found.refused) == 1


def _common() -> dict[str, str]:
    return {"event_id": "e1", "customer_id": "c1", "occurred_at": "2024-03-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("where", "taken"),
    [
        ("{v: a}", ["a"]),
        ("{v: [a, 5]}", ["a", 5, 5.0]),
        ("{v: true}", [True, "true"]),
        ("{v: {not: [a, b]}}", [5, 5.0, True, "true", "C1", "-3", None, {}, ""]),
        ("{v: {starts_with: C}}", ["C1"]),
        ("{v: {present: true}}", ["a", "b", 5, 5.0, True, "true", "C1", "-3", {}]),
        ("{v: {present: false}}", [None, ""]),
        ("{v: {above: 4}}", [5, 5.0]),
        ("{v: {below: 0}}", ["-3"]),
        ("{v: {above: -5, below: 5, not: -3}}", []),
        ("{v: {is: [a, b], not: b}}", ["a"]),
        ("{v: a, id: e2}", []),
    ],
)
def test_filters(where: str, taken: list[Any]) -> None:
    values = ["a", "b", 5, 5.0, True, "true", "C1", "-3", None, {}, ""]
    made = one_event("logins", "channel: {constant: web}", where)
    found = made.map(records([record(v=value) for value in values]))
    assert found.refused == []
    places = found.parts[0].index.tolist()
    assert [repr(values[i]) for i in places] == [repr(value) for value in taken]
    assert found.passed == len(values) - len(taken)


def test_a_table_is_mapped_as_records_are() -> None:
    made = source(
        """
        - to: orders
          fields:
            event_id: {hash: [Invoice, StockCode]}
            customer_id: Customer ID
            occurred_at: {path: InvoiceDate, time: '%m/%d/%Y %H:%M'}
            order_id: Invoice
            amount: {product: [Quantity, Price]}
        """,
        "files: retail.csv",
    )
    rows: list[dict[str, Any]] = [
        {"Invoice": "1", "StockCode": "x", "Customer ID": "5", "Quantity": "2", "Price": "1.5"},
        {"Invoice": "2", "StockCode": "x", "Customer ID": "", "Quantity": "2", "Price": "1.5"},
        {"Invoice": "3", "StockCode": "x", "Customer ID": None, "Quantity": "2", "Price": "1.5"},
    ]
    rows = [row | {"InvoiceDate": "12/1/2009 07:45"} for row in rows]
    table, lines = made.map_table(pl.DataFrame(rows)), made.map(records(rows))
    assert table.parts[0].values == lines.parts[0].values
    assert table.refused == lines.refused
    assert [each.index for each in table.refused] == [1, 2]
    assert json.loads(table.parts[0].values[0])["occurred_at"] == "2009-12-01T07:45:00Z"
    assert made.missing_columns(["Invoice", "StockCode", "Quantity"]) == [
        "Customer ID",
        "InvoiceDate",
        "Price",
    ]


def test_an_empty_poll_becomes_nothing() -> None:
    found = source(ORDERS).decode([], [], [], max_skew_us=0)
    assert (len(found.batch), found.refused) == (0, [])
