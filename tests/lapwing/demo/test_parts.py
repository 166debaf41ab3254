"""The demo's parts without a broker: its source, its feed, its folder, its child processes."""

import gzip
import json
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from lapwing.demo import place as places
from lapwing.demo.children import Child, ChildEnded
from lapwing.demo.feed import Feed
from lapwing.demo.place import embedded_broker, find_rules, lay_out, make_folder, users_broker
from lapwing.demo.source import FileSource, ShopSource, until
from lapwing.settings.settings import load_settings
from streams.core.events.topics import Topic
from streams.errors import BrokerError, DemoError, EventFileError, SettingsError
from streams.simulate.shop import Shop

NAMES = {topic: topic.label for topic in Topic}


class Kept:
    """A producer that keeps what it is given."""

    def __init__(self, fail: bool = False) -> None:
        self.rows: list[tuple[str, bytes | None, bytes | None, int | None]] = []
        self.flushed = 0
        self._fail = fail

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        if self._fail:
            raise BrokerError("gone")  # noqa: EM101  # a stand-in
        self.rows.append((topic, key, value, timestamp_ms))

    def flush(self, timeout_s: float = 30.0) -> None:
        self.flushed += 1


def shop() -> ShopSource:
    return ShopSource(Shop(customers=40, days=60, seed=5, start=date(2024, 1, 1)))


def order(customer: str, at: str, **more: object) -> bytes:
    row = {"type": "order", "event_id": at, "customer_id": customer, "occurred_at": at, "order_id": at}
    return json.dumps({**row, "amount": 5, **more}).encode()


class TestSource:
    def test_the_shop_s_parts_are_its_events_and_its_orders(self) -> None:
        source = shop()
        count = sum(len(part) for part in source.parts())
        assert count == sum(len(frame) for frame in source.shop.frames())
        truth = source.truth()
        assert len(truth) == 40
        assert set(source.orders) <= set(truth)
        assert all(times == sorted(times) for times in source.orders.values())

    def test_a_file_comes_in_order_of_time_with_its_own_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "e.jsonl.gz"
        lines = [
            order("b", "2024-01-03T00:00:00Z"),
            order("a", "2024-01-01T00:00:00Z", extra=[1, 2]),
            order("a", "2024-01-02T00:00:00Z", status="returned"),
            b"not an event",
            b"",
            json.dumps(
                {"type": "login", "event_id": "l", "customer_id": "a", "occurred_at": "2024-01-02T12:00:00Z"}
            ).encode(),
        ]
        path.write_bytes(gzip.compress(b"\n".join(lines)))
        source = FileSource(path)
        (part,) = source.parts()
        assert part.values == [lines[1], lines[2], lines[5], lines[0]]
        assert part.keys == [b"a", b"a", b"a", b"b"]
        assert part.topic.tolist() == [Topic.ORDERS, Topic.ORDERS, Topic.LOGINS, Topic.ORDERS]
        assert np.all(np.diff(part.at) > 0)
        history = source.history(int(part.at[-1]), load_settings(environ={}))
        assert (history.customers, len(history.activity.at)) == (["a", "b"], 2)
        assert source.refused == 1
        assert source.days == 2

    def test_a_file_that_is_none_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "text.jsonl").write_text("hello\n")
        (tmp_path / "empty.jsonl").write_text("")
        (tmp_path / "events.csv").write_text("a,b")
        for name, said in (
            ("text.jsonl", "not an event file: line 1"),
            ("empty.jsonl", "holds no events"),
            ("events.csv", "not an event file, its name"),
        ):
            with pytest.raises(DemoError, match=said):
                FileSource(tmp_path / name)
        with pytest.raises(EventFileError, match=r"none\.jsonl"):
            FileSource(tmp_path / "none.jsonl")

    def test_orders_are_cut_at_an_instant(self) -> None:
        assert until({"a": [1, 5, 9], "b": [6]}, 5) == {"a": [1, 5], "b": []}


class TestFeed:
    def played(self, feed: Feed) -> None:
        feed.start()
        feed._thread.join(20)

    def test_all_is_sent_in_order_with_event_times(self) -> None:
        producer, source = Kept(), shop()
        feed = Feed(source, producer, NAMES, 1e6, lambda: False)
        self.played(feed)
        assert feed.done
        assert feed.sent == len(producer.rows) > 100
        stamps = [stamp or 0 for *_, stamp in producer.rows]
        assert stamps == sorted(stamps)
        assert feed.part == pytest.approx(1.0, abs=0.05)
        assert producer.flushed == 1

    def test_topics_that_the_broker_lacks_are_left_out(self) -> None:
        producer = Kept()
        self.played(Feed(shop(), producer, {Topic.ORDERS: "bought"}, 1e6, lambda: False))
        assert {topic for topic, *_ in producer.rows} == {"bought"}

    def test_while_the_worker_is_full_simulated_time_stands_still(self) -> None:
        answers = iter([True] * 3)
        asked = []

        def full() -> bool:
            asked.append(1)
            return next(answers, False)

        feed = Feed(shop(), Kept(), NAMES, 1e6, full)
        self.played(feed)
        assert feed.done
        assert len(asked) > 3
        assert feed._held_s > 0

    def test_a_stop_ends_it_at_once(self) -> None:
        producer = Kept()
        feed = Feed(shop(), producer, NAMES, 1e-3, lambda: False)
        feed.start()
        feed.stop()
        assert feed.done
        assert producer.flushed == 1

    def test_what_made_it_fail_is_raised_where_it_is_watched(self) -> None:
        feed = Feed(shop(), Kept(fail=True), NAMES, 1e6, lambda: False)
        self.played(feed)
        with pytest.raises(BrokerError, match="gone"):
            _ = feed.done


class TestPlace:
    def test_the_settings_file_makes_any_command_part_of_the_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LAPWING_DATABASE", "sqlite:///elsewhere.db")
        folder = make_folder(tmp_path / 'a "quoted" name')
        place = lay_out(folder, tmp_path, "127.0.0.1:1234", 3_600_000_000, embedded_broker())
        assert place.settings.broker == "127.0.0.1:1234"
        assert place.settings.session_timeout == 6_000_000
        assert place.settings.reorder == 3_600_000_000
        assert place.settings.database == f"sqlite:///{place.database}"
        assert "LAPWING_DATABASE" not in place.environment
        assert place.environment["PATH"] == os.environ["PATH"]

    def test_on_the_user_s_own_broker_nothing_of_the_user_s_is_touched(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "SASL_MECHANISM": "PLAIN",
            "SASL_USERNAME": "u",
            "SASL_PASSWORD": "secret",
            "ORDERS": "their-orders",
        }.items():
            monkeypatch.setenv(f"LAPWING_{name}", value)
        place = lay_out(tmp_path, tmp_path, "b:1", 0, users_broker("b:1"))
        names = [*place.settings.topics.values(), place.settings.warnings_topic, place.settings.app]
        assert all(name.startswith("lapwing-demo-") for name in names)
        assert place.settings.kafka_security["sasl_plain_password"] == "secret"
        assert "secret" not in place.config.read_text()

    def test_an_address_that_is_none_is_told_before_anything_starts(self) -> None:
        with pytest.raises(SettingsError, match="--broker"):
            users_broker("nonsense")

    def test_a_folder_that_cannot_be_written_to_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DemoError, match="file: the demo cannot write there"):
            make_folder(tmp_path / "file")

    def test_a_folder_of_an_earlier_run_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "lapwing.db").touch()
        with pytest.raises(DemoError, match="holds an earlier run"):
            make_folder(tmp_path)

    def test_a_full_disk_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(places, "LEAST_FREE", 1 << 70)
        with pytest.raises(DemoError, match=r"only \d+ MB are free"):
            make_folder(tmp_path)

    def test_rules_are_those_asked_for_or_those_that_come_with_lapwing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert (find_rules(None) / "README.md").exists()
        (tmp_path / "warning_rules").mkdir()
        assert find_rules(None) == tmp_path / "warning_rules"
        with pytest.raises(DemoError, match="no rules"):
            find_rules(tmp_path / "none")


class TestChild:
    def test_an_end_of_its_own_is_told_with_the_last_line_of_its_log(self, tmp_path: Path) -> None:
        with Child("sink", ["--broker", "nonsense"], tmp_path, dict(os.environ)) as child:
            child._process.wait(30)
            with pytest.raises(ChildEnded, match=r"the sink ended with code 2: .*'nonsense'") as raised:
                child.check()
        assert raised.value.tail[-1].startswith("Error: --broker")
        assert str(child.log) in str(raised.value)

    def test_it_is_gone_when_the_block_ends(self, tmp_path: Path) -> None:
        with Child("tail", ["--broker", "127.0.0.1:1"], tmp_path, dict(os.environ)) as child:
            child.check()
        assert child._process.poll() is not None
