"""No form of an address shows its secret, and what is no secret stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.redact import MASK, masked, without_parts

FORMS = [
    "postgresql://u:{}@h/x",
    "postgresql+psycopg://u:{}@h:5432/x?sslmode=require",
    "postgresql://u@h/x?password={}",
    "postgresql://u@h/x?sslmode=require&password={}&connect_timeout=3",
    "postgresql://u@h/x?sslpassword={}",
    "postgresql://:{}@h/x",
    "postgresql://u@h/x?passwordd={}",
    "postgresql://u@h/x?password={}: no such option",
    "host=h password={} dbname=x",
    "host=h password='{}' dbname=x",
    "dbname = x password = {} host = h",
    "s3://AKIA123:{}@bucket/prefix",
    "simplecache::s3://AKIA123:{}@bucket/prefix",
    "s3://bucket/prefix?aws_secret_access_key={}",
    "abfs://container@account.dfs.core.windows.net/x?sas_token={}",
    "https://account.blob.core.windows.net/x?sv=2022&sig={}",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}",
    "gs://bucket/x?token={}",
    "{{'key': 'AKIA123', 'secret': '{}'}}",
    '{{"password": "{}"}}',
    "redis://:{}@h:6379/0",
    "mailto://u:{}@example.com",
    "jsons://u:{}@host/path?apikey={}",
    "host=h passwd={} PWD={}",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", ["hunter2", "p:w/d", "a%40b", "x@y", "Zm9v+/=="])
@pytest.mark.parametrize("around", ["{}", "cannot reach {} (refused): try again", "first {}\nsecond"])
def test_no_form_shows_its_secret(form: str, secret: str, around: str) -> None:
    text = masked(around.format(form.format(secret, secret)))
    assert secret not in text
    assert MASK in text
    assert text.startswith(around.split("{}")[0])
    assert text.endswith(around.split("{}")[1])


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u@h/x",
        "sqlite:///lapwing.db",
        "abfs://container@account.dfs.core.windows.net/x",
        "s3://bucket/prefix",
        "s3://bucket/prefix?region=eu",
        'connection to server at "h", port 5432 failed: password authentication failed for user "u"',
        "sasl_password: it is empty",
        "the key of the record is not its id",
        "rule monkeys: order_trend < 0.3",
        "127.0.0.1:9092,127.0.0.1:9093",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=20))
def test_a_password_of_any_letters_is_masked(secret: str) -> None:
    assert secret not in masked(f"postgresql://user:{secret}@h/x?password={secret}")


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1ABCDEF/B2BCDEFG/token3456",
        "json://user:T1ABCDEF@host.example/B2BCDEFG?key=token3456",
        "jsons://host/T1ABCDEF%21/B2BCDEFG/#token3456",
    ],
)
def test_a_text_about_a_url_is_one_line_without_any_part_of_it(url: str) -> None:
    text = without_parts("POST to https://x/T1ABCDEF!/B2BCDEFG?t=token3456\nfailed: 503", url)
    for secret in ("T1ABCDEF", "B2BCDEFG", "token3456"):
        assert secret not in text
    assert "\n" not in text
    assert text.endswith("failed: 503")
