from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from consumers.ingest.senders import SENDERS
from consumers.ingest.signatures import TOLERANCE_S, Verdict, standard_key
from tests.consumers.ingest.signers import NOW_S, OTHER, SECRETS, SIGNERS

WORDS = tuple(SENDERS)
BODY = b'{"id": 1, "name": "Z\xc3\xbcrich"}'


def verdict(word: str, body: bytes, headers: dict[str, str], *secrets: str, now_s: float = NOW_S) -> Verdict:
    sender = SENDERS[word]
    return sender.verify(body, headers, [sender.key(each) for each in secrets or (SECRETS[word],)], now_s)


@pytest.mark.parametrize("word", WORDS)
def test_what_the_sender_signed_is_good_and_every_other_body_and_key_is_wrong(word: str) -> None:
    headers = SIGNERS[word](BODY, SECRETS[word])
    assert verdict(word, BODY, headers) is Verdict.GOOD
    assert verdict(word, BODY + b" ", headers) is Verdict.WRONG
    assert verdict(word, BODY, headers, OTHER[word]) is Verdict.WRONG
    assert verdict(word, BODY, {}) is Verdict.MISSING


@pytest.mark.parametrize("word", WORDS)
def test_while_a_secret_changes_over_both_are_valid(word: str) -> None:
    for secret in (SECRETS[word], OTHER[word]):
        headers = SIGNERS[word](BODY, secret)
        assert verdict(word, BODY, headers, SECRETS[word], OTHER[word]) is Verdict.GOOD


@pytest.mark.parametrize("word", ["stripe", "signed"])
def test_a_signed_time_may_lie_so_far_from_the_clock_and_no_farther(word: str) -> None:
    headers = SIGNERS[word](BODY, SECRETS[word])
    for away, expected in ((TOLERANCE_S, Verdict.GOOD), (TOLERANCE_S + 1, Verdict.EXPIRED)):
        assert verdict(word, BODY, headers, now_s=NOW_S + away) is expected
        assert verdict(word, BODY, headers, now_s=NOW_S - away) is expected
    assert verdict(word, BODY, headers, OTHER[word], now_s=NOW_S + 1e6) is Verdict.WRONG


def test_of_several_signatures_one_has_to_be_right() -> None:
    old, new = (
        SIGNERS["stripe"](BODY, each)["stripe-signature"] for each in (OTHER["stripe"], SECRETS["stripe"])
    )
    both = f"{old},{next(each for each in new.split(',') if each.startswith('v1='))}"
    assert verdict("stripe", BODY, {"stripe-signature": both}) is Verdict.GOOD
    headers = SIGNERS["signed"](BODY, SECRETS["signed"])
    other = SIGNERS["signed"](BODY, OTHER["signed"])["webhook-signature"]
    headers["webhook-signature"] = f"v1a,bm90IG91cnM= {other} {headers['webhook-signature']}"
    assert verdict("signed", BODY, headers) is Verdict.GOOD


@pytest.mark.parametrize(
    "header",
    [
        "t=1",
        "v1=ab",
        "t=1,t=2,v1=ab",
        "t=x,v1=ab",
        "t=-1,v1=ab",
        "t=1" * 9,
        "t=1," + "v1=a," * 17,
        "t=\u0661,v1=a",
    ],
)
def test_what_stripe_does_not_write_is_malformed(header: str) -> None:
    assert verdict("stripe", BODY, {"stripe-signature": header}) is Verdict.MALFORMED


@pytest.mark.parametrize(
    ("name", "value"), [("timestamp", "soon"), ("signature", "v2,abc"), ("signature", "v1 abc")]
)
def test_what_standard_webhooks_do_not_write_is_malformed(name: str, value: str) -> None:
    headers = SIGNERS["signed"](BODY, SECRETS["signed"])
    assert verdict("signed", BODY, {**headers, f"webhook-{name}": value}) is Verdict.MALFORMED


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%%", "whsec_YWJj", "hush"])
def test_a_secret_of_standard_webhooks_has_its_form(secret: str) -> None:
    with pytest.raises(ValueError, match="it is not whsec_ and the base64 of 24 to 64 bytes"):
        standard_key(secret)


latin = st.text(st.characters(max_codepoint=255), max_size=60)
hints = st.sampled_from(["t=", "v1=", "v1,", ",", " ", "=", str(int(NOW_S))])


@given(
    st.sampled_from(WORDS),
    st.binary(max_size=50),
    st.lists(st.one_of(latin, hints), max_size=6).map("".join),
)
def test_no_header_is_good_by_chance_and_none_raises(word: str, body: bytes, header: str) -> None:
    headers = dict.fromkeys(SIGNERS[word](b"{}", SECRETS[word]), header)
    assert verdict(word, body, headers) is not Verdict.GOOD


@given(st.text(max_size=40), st.text("ab.c-1", min_size=1, max_size=9), st.integers(-400, 400), st.booleans())
def test_standard_webhooks_are_judged_as_their_own_library_does(
    text: str, id_: str, age: int, right: bool
) -> None:
    body = json.dumps({"text": text}).encode()
    now_s = datetime.now(UTC).timestamp()
    if abs(abs(age) - TOLERANCE_S) < 5:  # the library asks the clock itself
        age = 0
    headers = SIGNERS["signed"](
        body, SECRETS["signed"] if right else OTHER["signed"], id_=id_, at_s=now_s - age
    )
    try:
        Webhook(SECRETS["signed"]).verify(body, headers)
        is_good = True
    except WebhookVerificationError:
        is_good = False
    assert (verdict("signed", body, headers, now_s=now_s) is Verdict.GOOD) == is_good
