from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.notify.channels import Channel, Markup, as_text, read_channels, read_webhooks
from streams.errors import SettingsError

# Apprise loads all its plugins at the first URL, and one of them still imports this module.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_a_channel_has_its_given_name_or_one_that_shows_no_secret() -> None:
    first, second = read_channels(["team-east=json://u:hunter2@127.0.0.1/x=y", "jsons://127.0.0.1/token"])
    assert first == Channel("team-east", "json://u:hunter2@127.0.0.1/x=y")
    assert second.name.startswith("jsons-")
    assert len(second.name) == len("jsons-") + 8
    assert "hunter2" not in repr(first)
    assert read_channels(["jsons://127.0.0.1/token"])[0].name == second.name


@pytest.mark.parametrize(
    ("urls", "says"),
    [
        (["nonsense://hunter2"], r"URL 1 \(nonsense://\.\.\.\) is not one that Apprise can send to"),
        (["json://127.0.0.1", "mailto://hunter2"], "URL 2"),
        (["a=json://127.0.0.1/1", "a=json://127.0.0.1/2"], "two channels are called 'a'"),
        (["json://127.0.0.1/1", "json://127.0.0.1/1"], "two channels are called 'json-"),
    ],
)
def test_a_wrong_url_is_named_by_its_number_without_its_secrets(urls: list[str], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        read_channels(urls)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "markup"),
    [
        ("json://127.0.0.1/hook", Markup.NONE),
        ("mailto://u:p@example.com", Markup.NONE),
        (f"discord://{'1' * 18}/{'a' * 68}", Markup.MARKDOWN),
        (f"https://discord.com/api/webhooks/{'1' * 18}/{'a' * 68}", Markup.MARKDOWN),
        (f"discord://{'1' * 18}/{'a' * 68}?format=markdown", Markup.CHAT),
        (f"mmost://127.0.0.1/{'a' * 26}", Markup.MARKDOWN),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", Markup.CHAT),
    ],
)
def test_what_a_channel_makes_of_text_follows_from_its_service(url: str, markup: Markup) -> None:
    assert read_channels([url])[0].markup is markup


@given(st.text(max_size=60), st.sampled_from(Markup))
def test_no_mention_and_no_link_survives_and_every_character_is_still_there(
    text: str, markup: Markup
) -> None:
    shown = as_text(text, markup)
    if markup is Markup.NONE:
        assert shown == text
        return
    assert not re.search(r"@[^\u200b]|<[^\u200b]|\]\(", shown)
    if markup is Markup.CHAT:
        assert shown.replace("\u200b", "") == text.replace("\u200b", "")
    else:
        assert re.sub(r"\\(.)", r"\1", shown.replace("\u200b", ""), flags=re.DOTALL) == text.replace(
            "\u200b", ""
        )


def test_apprises_own_retry_is_refused_beside_the_outbox() -> None:
    with pytest.raises(SettingsError, match=r"URL 1 \(json://...\) sets Apprise's own retry: leave it out"):
        read_channels(["a=json://127.0.0.1/hunter2?retry=3"])
    assert read_channels(["a=json://127.0.0.1/x?retry=0"])[0].name == "a"


SECRET = "whsec_" + "c2VjcmV0" * 4


def test_a_webhook_has_its_url_and_its_secrets() -> None:
    other = "whsec_" + "b3RoZXIh" * 4
    (found,) = read_webhooks(
        ["crm=https://crm.example/hook?token=hunter2"], [f"crm={SECRET}", f"crm={other}"]
    )
    assert (found.name, found.secrets, found.is_webhook) == ("crm", (SECRET, other), True)
    assert found.markup is Markup.NONE
    assert "hunter2" not in repr(found)
    assert "whsec" not in repr(found)
    assert read_webhooks(["a=http://127.0.0.1:8080/x", "b=http://[::1]/"], [f"a={SECRET}", f"b={SECRET}"])


@pytest.mark.parametrize("size", [24, 25, 32, 64])
def test_a_secret_may_be_of_any_length_that_is_allowed(size: int) -> None:
    """Of 32 bytes, which is what most tools make, the base64 ends in a `=`."""
    secret = f"whsec_{base64.b64encode(bytes(range(size))).decode()}"
    (found,) = read_webhooks(["a=https://crm.example"], [f"a={secret}"])
    assert found.secrets == (secret,)


@pytest.mark.parametrize(
    ("urls", "secrets", "says"),
    [
        (["https://hunter2.example"], [], "webhook_urls: number 1 is not NAME=https://..."),
        (["a=http://hunter2.example"], [f"a={SECRET}"], "a: must begin with https://"),
        (["a=ftp://hunter2.example"], [f"a={SECRET}"], "a: is not a URL that begins with https://"),
        (["a=https://u:hunter2@a.example"], [f"a={SECRET}"], "a: must have no user name"),
        (["a=https://a.example:hunter2"], [f"a={SECRET}"], "a: is not a URL"),
        (["a=https://hunter2.example"], [], "a has no secret: add a=whsec_... to LAPWING_WEBHOOK_SECRETS"),
        (["a=https://x.example", "a=https://y.example"], [f"a={SECRET}"], "two webhooks are called 'a'"),
        ([], [f"a={SECRET}"], "there is no webhook 'a' in webhook_urls"),
        ([], ["a=hunter2"], "webhook_secrets: number 1 is not NAME=whsec_... with 24 to 64 bytes"),
        ([], ["a=whsec_aHVudGVyMg=="], "number 1 is not NAME=whsec_..."),
        ([], ["a=whsec_%%%%"], "number 1 is not NAME=whsec_..."),
    ],
)
def test_a_wrong_webhook_is_refused_without_its_secrets(
    urls: list[str], secrets: list[str], says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_webhooks(urls, secrets)
    assert says in str(caught.value)
    assert not re.search("hunter2|c2VjcmV0", str(caught.value))
