"""What is doubtful about mappings."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from streams.inputs.lint import CODES, lint
from streams.inputs.load import Inputs, parse_inputs
from streams.rulebook.findings import Severity

ID = "event_id: id, customer_id: c, occurred_at: t"
COMPLAINT = f"{ID}, complaint_id: id"
ONE, TWO = "{path: s, map: {a: opened}}", "{path: s, map: {a: opened, b: resolved}}"


def inputs(events: str, head: str = "topic: shop") -> Inputs:
    lines = indent(dedent(events).strip(), "      ")
    text = f"version: 1\nsources:\n  shop:\n    {head}\n    events:\n{lines}\n"
    return parse_inputs("inputs.yaml", text.encode())


DOUBTFUL = [
    ("I101", f"- {{to: logins, where: {{s: {{is: a, not: a}}}}, fields: {{{ID}}}}}"),
    ("I101", f"- {{to: logins, where: {{s: {{above: 2, below: 2}}}}, fields: {{{ID}}}}}"),
    ("I101", f"- {{to: logins, where: {{s: {{is: [a], starts_with: b}}}}, fields: {{{ID}}}}}"),
    ("I101", f"- {{to: logins, where: {{s: {{is: [1], above: 1}}}}, fields: {{{ID}}}}}"),
    ("I101", f"- {{to: logins, where: {{s: {{present: false, is: a}}}}, fields: {{{ID}}}}}"),
    ("I102", f"- {{to: logins, fields: {{{ID}}}}}\n- {{to: profiles, fields: {{{ID}}}}}"),
    (
        "I103",
        f"- {{to: logins, where: {{s: [a, b]}}, fields: {{{ID}, channel: {{path: s, map: {{a: x}}}}}}}}",
    ),
    ("I104", "- {to: logins, fields: {event_id: i, customer_id: {hash: c}, occurred_at: t}}"),
    ("I111", f"- {{to: orders, fields: {{{ID}, order_id: id, amount: a}}}}"),
    (
        "I112",
        "- {to: logins, fields: {event_id: i, customer_id: c, occurred_at: {path: t, time: '%d.%m.%Y'}}}",
    ),
    (
        "I113",
        f"- {{to: complaints, fields: {{{COMPLAINT}, status: {TWO}}}}}",
    ),
    (
        "I114",
        f"- {{to: logins, where: {{s: a}}, fields: {{{ID}, channel: {{path: s, map: {{a: x, b: y}}}}}}}}",
    ),
    ("I115", "- {to: logins, fields: {event_id: {constant: x}, customer_id: c, occurred_at: t}}"),
]


@pytest.mark.parametrize(("code", "events"), DOUBTFUL)
def test_what_is_doubtful_is_found(code: str, events: str) -> None:
    [finding] = lint(inputs(events))
    assert finding.code == code
    assert finding.line == 6 if code != "I102" else 7
    assert str(finding).startswith(f"inputs.yaml:{finding.line}: {finding.severity} {code}: source 'shop': ")


def test_every_code_is_provoked() -> None:
    assert {code for code, _ in DOUBTFUL} == set(CODES)
    assert {severity for severity, _ in CODES.values()} == set(Severity)


@pytest.mark.parametrize(
    "events",
    [
        f"- {{to: logins, where: {{s: a}}, fields: {{{ID}}}}}\n"
        f"- {{to: logins, where: {{s: b}}, fields: {{{ID}}}}}",
        f"- {{to: logins, where: {{s: a}}, fields: {{{ID}}}}}\n"
        f"- {{to: logins, where: {{s: {{not: a}}}}, fields: {{{ID}}}}}",
        f"- {{to: logins, where: {{n: {{above: 0}}}}, fields: {{{ID}}}}}\n"
        f"- {{to: logins, where: {{n: {{below: 0}}}}, fields: {{{ID}}}}}",
        f"- {{to: logins, where: {{n: {{present: true}}}}, fields: {{{ID}}}}}\n"
        f"- {{to: logins, where: {{n: {{present: false}}}}, fields: {{{ID}}}}}",
        "- {to: logins, fields: {event_id: i, customer_id: c, occurred_at: {path: t, time: '%Y-%m-%d %z'}}}",
        "- {to: logins, fields: {event_id: i, customer_id: c, "
        "occurred_at: {path: t, time: '%Y-%m-%d', zone: UTC}}}",
        "- {to: complaints, fields: {event_id: {hash: [i, s]}, customer_id: c, occurred_at: t, "
        "complaint_id: i, status: s}}",
        f"- {{to: complaints, where: {{s: a}}, fields: {{{COMPLAINT}, status: {ONE}}}}}",
        f"- {{to: orders, fields: {{{ID}, order_id: id, amount: a, currency: cur}}}}",
    ],
)
def test_what_is_right_is_not_doubted(events: str) -> None:
    assert lint(inputs(events)) == []


def test_with_a_currency_for_all_orders_need_none_and_trusted_keys_may_be_anything() -> None:
    orders = inputs(f"- {{to: orders, fields: {{{ID}, order_id: id, amount: a}}}}")
    assert lint(orders, "EUR") == []
    logins = "- {to: logins, fields: {event_id: i, customer_id: {hash: c}, occurred_at: t}}"
    assert lint(inputs(logins, "topic: shop\n    key: trusted")) == []
