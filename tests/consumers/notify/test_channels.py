from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.notify.channels import Channel, Markup, as_text, read_channels
from streams.errors import SettingsError

# Apprise loads all its plugins at the first URL, and one of them still imports this module.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_a_channel_has_its_given_name_or_one_that_tells_no_secret() -> None:
    first, second = read_channels(["team-east=json://u:hunter2@127.0.0.1/x=y", "jsons://127.0.0.1/token"])
    assert first == Channel("team-east", "json://u:hunter2@127.0.0.1/x=y")
    assert second.name.startswith("jsons-")
    assert len(second.name) == len("jsons-") + 8
    assert "hunter2" not in repr(first)
    assert read_channels(["jsons://127.0.0.1/token"])[0].name == second.name


@pytest.mark.parametrize(
    ("urls", "told"),
    [
        (["nonsense://hunter2"], r"URL 1 \(nonsense://\.\.\.\) is not one that Apprise can send to"),
        (["json://127.0.0.1", "mailto://hunter2"], "URL 2"),
        (["a=json://127.0.0.1/1", "a=json://127.0.0.1/2"], "two channels are called 'a'"),
        (["json://127.0.0.1/1", "json://127.0.0.1/1"], "two channels are called 'json-"),
    ],
)
def test_a_wrong_url_is_told_by_its_number_without_its_secrets(urls: list[str], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
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
