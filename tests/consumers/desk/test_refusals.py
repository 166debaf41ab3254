"""What the contract refuses reads in the reader's language: every refusal that a form can bring about."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.desk.refusals import explained
from consumers.drafts import Draft, action_bytes
from consumers.language import language
from consumers.silences import ended, named, new_silence
from streams.contract.silences import make_recurring
from streams.errors import ActError, ContractError
from tests.paths import ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def silence(reason: str = "why", end: timedelta | None = DAY, **matchers: Any) -> None:
    given = matchers or {"everything": True}
    new_silence(NOW, "ann", reason, given, NOW, None if end is None else NOW + end, None)


def action(**given: Any) -> None:
    draft = Draft(**{"customer_id": "c", "kind": "contact", "warning_id": "w", **given})
    action_bytes(draft.event("e", 1_700_000_000_000_000, "ann"))


def end_twice() -> None:
    made = new_silence(NOW, "ann", "why", {"everything": True}, NOW, NOW + DAY, None)
    ended(ended(made, NOW, "ann"), NOW, "ann")


REFUSED: list[Callable[[], object]] = [
    lambda: silence("x" * 501),
    lambda: silence("why\0"),
    lambda: silence(end=-DAY),
    lambda: silence(end=None),
    lambda: silence(everything=True, tiers=("high",)),
    lambda: silence(everything=False),
    lambda: silence(tiers=("dire",)),
    lambda: silence(customers=("x" * 129,)),
    lambda: silence(customers=tuple(map(str, range(1001)))),
    lambda: silence(regions=("",)),
    lambda: silence(regions=("a\0",)),
    lambda: make_recurring(days=("mon",), dates=(), begins="25:00", ends="00:00", time_zone="UTC"),
    lambda: named({}, "x"),
    end_twice,
    lambda: action(cost={"gift": float("nan")}),
    lambda: action(cost={"gift": -5}),
    lambda: action(cost={"gift": 1e308}),
    lambda: action(reasons=("<script>",)),
    lambda: action(reasons=tuple(map(str, range(500)))),
    lambda: action(result="splendid"),
    lambda: action(play="a b"),
    lambda: action(kind="assign", assignee="x" * 257),
    lambda: action(kind="assign", assignee="\0"),
    lambda: action(kind="correct"),
    lambda: action(kind="snooze", warning_id=None),
    lambda: action(customer_id="x" * 500),
    lambda: action(until=5),
]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refusal_reads_in_chinese(refused: Callable[[], object]) -> None:
    with pytest.raises((ActError, ContractError)) as raised:
        refused()
    english = explained(raised.value)
    token = language.set("zh")
    try:
        chinese = explained(raised.value)
    finally:
        language.reset(token)
    assert not re.search(r"[A-Za-z]{2}", chinese), chinese
    assert re.search(r"[一-鿿]", chinese)
    assert english != chinese
    assert "should" not in english


def test_another_error_stands_as_it_is() -> None:
    assert explained(ActError("the moon: is full")) == "the moon: is full"


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("the answer belongs to another attempt: sign in again", "这属于另一次登录尝试：请重新登录。"),
        ("the answer is of another provider", "这属于另一次登录尝试：请重新登录。"),
        ("the provider refuses: <b>", "身份提供方拒绝：<b>"),
        ("the provider does not say the person's email", "身份提供方未给出您的 email。"),
        ("the provider has not verified the person's address", "身份提供方尚未验证您的邮箱地址。"),
        (
            "the provider's token cannot be believed: bad_signature",
            "身份提供方的应答不可信，详情见工作台日志。",
        ),
        (
            "what the provider says of the person is about another one",
            "身份提供方的应答不可信，详情见工作台日志。",
        ),
        (
            "the provider does not answer as it should: ConnectError: x",
            "无法连接身份提供方，或其应答不正常：请稍后再试。",
        ),
    ],
)
def test_what_a_provider_does_wrong_reads_in_chinese(text: str, chinese: str) -> None:
    written = re.split(r": |<b>|email$", text)[0]
    assert written in (ROOT / "consumers" / "desk" / "people" / "oidc.py").read_text()
    token = language.set("zh")
    try:
        assert explained(ActError(text)) == chinese
    finally:
        language.reset(token)
