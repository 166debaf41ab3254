"""The sources that are followed, as their file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.broker.errors import BrokerAway
from lapwing.follow import FollowInputs, followed_sources
from lapwing.settings.settings import Settings, load_settings
from streams.errors import LapwingError, RuleFilesError, SettingsError

FILE = """\
version: 1
sources:
  shop:
    topic: shop.orders
    events: [{to: orders, fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, amount: v}}]
"""
APP = """\
  app:
    topic: app.logins
    events: [{to: logins, fields: {event_id: id, customer_id: who, occurred_at: at}}]
"""


class Clock:
    """A clock that is put forward."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Followed:
    """A file of inputs, and who follows it."""

    def __init__(self, folder: Path, text: str = FILE, name: str | None = None) -> None:
        self.file = folder / "follow.yaml"
        self.file.write_text(text)
        self.clock = Clock()
        self.there = {"orders", "logins", "lapwing.rejected"}
        self.inputs = FollowInputs(settings(), self.file, name, None, self.clock)

    def say(self, text: str) -> list[bool]:
        """Change the file, and return whether each of the looks that follow finds other sources."""
        self.file.write_text(text)
        return [self.look() for _ in range(3)]

    def look(self) -> bool:
        self.clock.now += 1.0
        return self.inputs.look(lambda topics: topics & self.there)


def settings() -> Settings:
    return load_settings(environ={})


def test_a_file_that_changes_is_followed_from_the_second_look_on(tmp_path: Path) -> None:
    shop = Followed(tmp_path)
    before = shop.inputs.revision.hash
    assert list(shop.inputs.mappings()) == ["shop.orders"]
    assert shop.inputs.written() == {"orders", "lapwing.rejected"}
    assert shop.say(FILE + APP) == [False, True, False]
    assert list(shop.inputs.sources) == ["shop.orders", "app.logins"]
    assert shop.inputs.revision.hash != before
    assert shop.say(FILE) == [False, True, False]
    assert list(shop.inputs.mappings()) == ["shop.orders"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (FILE.replace("event_id: id, ", ""), "event_id"),
        (FILE.replace("shop.orders", "logins"), "read again without end"),
        ("version: 1\nsources: {}\n", "sources"),
        (FILE + APP.replace("to: logins", "to: closures"), "has no topic closures"),
    ],
)
def test_a_file_that_cannot_be_followed_changes_nothing_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, why: str
) -> None:
    shop = Followed(tmp_path)
    before = shop.inputs.revision
    assert shop.say(text) == [False, False, False]
    assert why in caplog.text
    assert "the sources from before stay in force" in caplog.text
    assert (shop.inputs.broken, shop.inputs.revision) == (True, before)
    assert list(shop.inputs.sources) == ["shop.orders"]
    assert shop.say(FILE + APP) == [False, True, False]
    assert not shop.inputs.broken


def test_while_the_broker_is_away_a_new_file_waits(tmp_path: Path) -> None:
    shop = Followed(tmp_path)

    def away(topics: set[str]) -> set[str]:
        msg = "away"
        raise BrokerAway(msg)

    shop.file.write_text(FILE + APP)
    assert not shop.look()
    shop.clock.now += 1.0
    for _ in range(2):
        with pytest.raises(BrokerAway):
            shop.inputs.look(away)
    assert list(shop.inputs.sources) == ["shop.orders"]
    assert shop.look()
    assert list(shop.inputs.sources) == ["shop.orders", "app.logins"]


def test_one_source_may_be_chosen(tmp_path: Path) -> None:
    shop = Followed(tmp_path, FILE + APP, "app")
    assert list(shop.inputs.sources) == ["app.logins"]
    with pytest.raises(SettingsError, match="no source 'none' with a topic to follow"):
        Followed(tmp_path, FILE, "none")


def test_who_starts_on_a_bad_file_is_told_every_mistake(tmp_path: Path) -> None:
    with pytest.raises(RuleFilesError, match=r"amount(.|\n)*event_id"):
        Followed(tmp_path, FILE.replace("event_id: id, ", "").replace(", amount: v", ""))
    with pytest.raises(LapwingError, match="nothing"):
        FollowInputs(settings(), tmp_path / "nothing.yaml", None, None)


def test_what_is_written_is_never_followed(tmp_path: Path) -> None:
    sources = Followed(tmp_path).inputs.revision.sources
    circle = {"lapwing.rejected": sources["shop.orders"]}
    with pytest.raises(SettingsError, match="read again without end"):
        followed_sources(settings(), tmp_path, circle)
