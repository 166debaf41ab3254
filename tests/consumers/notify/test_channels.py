from __future__ import annotations

import pytest

from consumers.notify.channels import Channel, read_channels, redact
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
    "url",
    [
        "slack://T1ABCDEF/B2BCDEFG/token3456",
        "json://user:T1ABCDEF@host.example/B2BCDEFG?key=token3456",
        "jsons://host/T1ABCDEF%21/B2BCDEFG/#token3456",
    ],
)
def test_an_errors_text_is_one_line_without_any_part_of_the_url(url: str) -> None:
    text = "POST to https://x/T1ABCDEF!/B2BCDEFG?t=token3456\nfailed: 503"
    told = redact(text, url)
    for secret in ("T1ABCDEF", "B2BCDEFG", "token3456"):
        assert secret not in told
    assert "\n" not in told
    assert told.endswith("failed: 503")
