"""Rules change while workers run: taken over at a checkpoint, carried by it, and told of."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.checkpoints.store import CheckpointStore, _with_checksum
from streams.contract.audit import RulesAdopted, parse_adopted
from streams.contract.warnings import ControlNotice
from streams.errors import BrokerError
from streams.rulebook.revisions import CATCH_UP
from streams.rulebook.watch import RuleWatch, placed_at
from streams.worker.pipeline import CheckpointServices, Pipeline
from streams.worker.rule_rollout import RuleReloader
from tests.streams.worker.test_assignment import ORDERS, SETTINGS, Shop, Worker, json_of

Wall = Callable[[], float]

RULE = "  - {{id: {0}, status: {1}, when: orders_total >= {2}, tier: low, reason: test}}\n"
BAD = "version: 1\nrules:\n  - {id: buys, when: order_total > 1, tier: low, reason: test}\n"


def rules(*given: tuple[str, str, int]) -> str:
    return "version: 1\nrules:\n" + "".join(RULE.format(*rule) for rule in given)


BUYS = rules(("buys", "active", 1))
OTHER = rules(("other", "active", 1))
BOTH = rules(("buys", "active", 1), ("other", "active", 1))
SHADOW = rules(("buys", "shadow", 1))
SEGMENTS = "segments:\n  - {id: rise, by: region, when: complaints_7d > 3, tier: low, reason: test}\n"
PAUSED = BUYS + "pause: {rules: all, reason: prices were wrong}\n"


class Watched(Worker):
    """A worker of a shop with rule files of its own."""

    def __init__(
        self, shop: Shop, name: str, text: str, *, keeps: bool = True, wall: Wall = time.time
    ) -> None:
        super().__init__(shop)
        self.file = shop.folder.parent / f"{shop.folder.name}-{name}.yaml"
        self.file.write_text(text)
        reloader = RuleReloader(RuleWatch(self.file), "lapwing", name, wall)
        store = CheckpointStore(str(shop.folder), "lapwing", shop.disk)
        services = CheckpointServices(store, shop.group, shop.warned, shop.refused) if keeps else None
        self.pipeline = Pipeline(SETTINGS, self.engine, self.send, lambda: 0.0, services, reloader)

    async def say(self, text: str) -> None:
        """Write the rule file and look at it as often as it takes."""
        self.file.write_text(text)
        await self.pipeline.reload()
        await self.pipeline.reload()
        await self.pipeline.process()

    def steps(self) -> list[tuple[str, list[str]]]:
        said = [json_of(record) for record in self.sent if record.topic == SETTINGS.warnings_topic]
        return [(s["type"][14:], [c["rule"] for c in s["data"]["causes"]]) for s in said]

    def ids(self) -> list[str]:
        return [json_of(r)["id"] for r in self.sent if r.topic == SETTINGS.warnings_topic]

    def audit(self) -> list[RulesAdopted]:
        return [parse_adopted(r.value or b"") for r in self.sent if r.topic == SETTINGS.audit_topic]

    def notices(self) -> list[ControlNotice]:
        found = [r.value or b"" for r in self.sent if r.topic == SETTINGS.control_topic]
        return [ControlNotice.model_validate_json(value) for value in found]

    def runs(self) -> str:
        (rule_set,) = self.pipeline.stats().rule_sets.values()
        return rule_set

    @property
    def own(self) -> str:
        found = self.pipeline.stats().rule_set
        assert found is not None
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "states")


async def worker_of(shop: Shop, name: str, text: str, generation: int = 1, **more: Any) -> Watched:
    worker = Watched(shop, name, text, **more)
    await worker.assign(generation)
    return worker


async def test_new_rules_are_in_force_from_a_checkpoint_that_is_made_at_once(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    before = worker.own
    await worker.say(OTHER)
    assert worker.runs() == worker.own != before
    assert shop.group.offsets == {ORDERS: 3}
    await worker.read(5)
    assert worker.steps() == [("opened", ["buys"]), ("withdrawn", ["buys"]), ("opened", ["other"])]
    first, change = worker.audit()
    assert (first.rule_set_before, first.rule_set) == (None, before)
    assert (change.rule_set_before, change.rule_set, change.offsets) == (before, worker.own, {"orders": 3})
    assert change.changes is not None
    assert [(c.rule, c.change) for c in change.changes] == [("buys", "removed"), ("other", "added")]
    said = worker.notices()[-1]
    assert (said.kind, said.partition, said.detail["offsets"]) == ("rules.adopted", 0, "orders=3")
    assert said.detail["id"] == change.id
    stats = worker.pipeline.stats()
    assert (stats.rules_adopted, stats.opened) == (1, {"other": {"active": 1}})


async def test_after_a_crash_the_same_is_adopted_at_the_same_place(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    await worker.say(OTHER)
    await worker.read(6)
    # The other's files are still those of before, and were put there long before the change.
    other = await worker_of(shop, "two", BUYS, generation=2)
    assert other.position == 3
    await other.read(6)
    assert other.ids() == worker.ids()[1:]
    assert [said.id for said in other.audit()] == [worker.audit()[-1].id]
    assert other.runs() == worker.own != other.own


@pytest.mark.parametrize("fails", ["write", "commit", "refused"])
async def test_where_the_checkpoint_fails_the_old_rules_stay(
    shop: Shop, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    before = worker.own

    async def fail(*_: Any) -> bool:
        message = "no answer"
        raise BrokerError(message)

    match fails:
        case "write":
            shop.disk.room = 1
        case "commit":
            monkeypatch.setattr(shop.group, "commit_as", fail)
        case "refused":
            shop.group.generation = 2
    await worker.say(OTHER)
    assert worker.steps() == [("opened", ["buys"])]
    assert shop.on_disk() == []
    assert shop.group.offsets == {}
    if fails == "refused":
        assert worker.tasks == {}
        return
    assert worker.runs() == before
    failed = worker.pipeline.stats().checkpoints_failed
    await worker.pipeline.reload()
    assert worker.pipeline.stats().checkpoints_failed == failed == 1  # not again before the next interval
    shop.disk.room = 10**9
    monkeypatch.undo()
    await worker.pipeline.save()
    assert worker.runs() == worker.own
    assert worker.steps() == [("opened", ["buys"]), ("withdrawn", ["buys"])]


async def test_a_bad_set_is_refused_with_its_mistakes_once_and_the_old_one_stays(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    before = worker.own
    await worker.say(BAD)
    await worker.say(BAD)
    (notice,) = (each for each in worker.notices() if each.kind == "rules.refused")
    unknown = "unknown feature 'order_total' (column 1); did you mean 'orders_total'?"
    mistake = f"{worker.file}:3: rule 'buys': `when`: {unknown}"
    assert notice.detail["errors"] == mistake
    assert mistake in caplog.text
    assert (notice.partition, notice.detail["mistakes"], notice.detail["rule_set"]) == (None, 1, before)
    assert worker.own == worker.runs() == before
    assert worker.pipeline.stats().rules_refused == 1
    await worker.say(BUYS)
    assert worker.audit()[1:] == []
    await worker.say(OTHER)
    assert worker.runs() == worker.own != before


async def test_what_was_sent_before_a_crash_ends_under_the_rules_it_was_sent_under(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.pipeline.save()
    await worker.read(3)
    shop.warned.ids += worker.ids()
    shop.warned.until = 30_000_000
    other = await worker_of(shop, "two", OTHER, generation=2)
    await other.pipeline.reload()
    assert other.runs() == worker.own
    await other.read(8)
    await other.pipeline.reload()
    assert other.runs() == other.own != worker.own
    assert other.steps() == [("withdrawn", ["buys"])]


async def test_a_slow_copy_of_the_files_does_not_swing_a_partition_back(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    slow = Watched(shop, "slow", BUYS)
    await worker.read(3)
    await worker.say(BOTH)
    await slow.assign(generation=2)
    await slow.pipeline.reload()
    assert slow.runs() == worker.own != slow.own
    await slow.say(BOTH)
    assert slow.audit()[1:] == []
    assert slow.runs() == slow.own == worker.own
    await slow.say(OTHER)
    assert slow.runs() == slow.own != worker.own


async def test_files_that_were_set_back_after_the_change_are_the_last_word(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS, wall=lambda: 0.0)
    before = worker.own
    await worker.read(3)
    await worker.say(BOTH)
    assert worker.runs() != before
    # These were put in place long after 1970, when the first worker's clock says it adopted the others.
    again = await worker_of(shop, "again", BUYS, generation=2)
    await again.pipeline.reload()
    assert again.runs() == again.own == before


async def test_a_partition_left_on_older_rules_is_reported_and_comes_back_when_the_files_are_touched(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await worker_of(shop, "new", BOTH)
    await worker.read(3)
    await worker.pipeline.save()
    older = await worker_of(shop, "old", BUYS, generation=2)
    await older.pipeline.reload()
    assert older.runs() == older.own
    await worker.assign(generation=3)  # the other has stopped
    await worker.pipeline.reload()
    await worker.pipeline.reload()
    assert worker.runs() == older.own != worker.own
    (notice,) = (each for each in worker.notices() if each.kind == "rules.differ")
    assert (notice.partition, notice.detail["rule_set"]) == (0, older.own)
    assert notice.detail["rule_set_of_files"] == worker.own
    assert "rules differ partition=0" in caplog.text
    assert worker.pipeline.stats().rules_differ == {"0": older.own}
    before = placed_at(worker.file)
    while placed_at(worker.file) <= before:  # file systems count time in steps of milliseconds
        os.utime(worker.file)
    await worker.pipeline.reload()
    await worker.pipeline.reload()
    assert worker.runs() == worker.own
    assert worker.pipeline.stats().rules_differ == {}
    assert [each.kind for each in worker.notices()][-1] == "rules.agree"


async def test_a_partition_left_on_older_rules_comes_back_by_itself(shop: Shop) -> None:
    later = 0.0
    worker = await worker_of(shop, "new", BOTH, wall=lambda: time.time() + later)
    await worker.read(3)
    await worker.pipeline.save()
    older = await worker_of(shop, "old", BUYS, generation=2)
    await older.pipeline.reload()
    await worker.assign(generation=3)
    await worker.pipeline.reload()
    later = CATCH_UP / 1e6 - 1
    await worker.pipeline.reload()
    assert worker.runs() == older.own
    later = CATCH_UP / 1e6 + 1
    await worker.pipeline.reload()
    assert worker.runs() == worker.own


async def test_a_slow_copy_that_catches_up_is_reported_twice(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    slow = Watched(shop, "slow", BUYS)
    await worker.read(3)
    await worker.say(BOTH)
    await slow.assign(generation=2)
    await slow.pipeline.reload()
    await slow.say(BOTH)
    kinds = [each.kind for each in slow.notices() if each.kind.startswith("rules.")]
    assert sorted(kinds) == ["rules.adopted", "rules.agree", "rules.differ"]
    assert kinds.index("rules.differ") < kinds.index("rules.agree")


async def test_the_end_of_a_refusal_is_reported(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    await worker.say(BAD)
    assert len(worker.pipeline.stats().rule_mistakes) == 1
    await worker.say(BUYS)
    assert worker.pipeline.stats().rule_mistakes == ()
    (notice,) = (each for each in worker.notices() if each.kind == "rules.accepted")
    assert notice.detail == {"rule_set": worker.own, "worker": "one"}
    assert "accepted again" in caplog.text
    await worker.say(OTHER)
    assert sum(each.kind == "rules.accepted" for each in worker.notices()) == 1


async def test_the_first_segment_rule_asks_for_a_restart(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    await worker.say(BUYS + SEGMENTS)
    (notice,) = (each for each in worker.notices() if each.kind == "rules.restart_needed")
    assert notice.detail == {"segment_rules": 1, "worker": "one"}


async def test_a_partition_that_another_may_have_had_is_loaded_anew(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    await worker.pipeline.save()
    other = await worker_of(shop, "two", BUYS, generation=2)
    await other.say(BOTH)
    assert shop.group.offsets == {ORDERS: 3}
    await worker.assign(generation=3)
    assert worker.runs() == other.runs() != worker.own


async def test_a_pause_withdraws_goes_on_counting_and_ends(shop: Shop) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    await worker.say(PAUSED)
    (change,) = worker.audit()[-1].changes or ()
    assert [(f.field, f.before, f.after) for f in change.fields] == [
        ("status", "active", "shadow"),
        ("paused", None, "prices were wrong"),
    ]
    await worker.read(5)
    assert worker.pipeline.stats().opened == {"buys": {"shadow": 1}}
    await worker.say(BUYS)
    await worker.read(6)
    assert worker.steps() == [("opened", ["buys"]), ("withdrawn", ["buys"]), ("opened", ["buys"])]
    assert worker.pipeline.stats().opened == {"buys": {"active": 2}}


async def test_counts_of_what_was_opened_are_part_of_the_state(shop: Shop) -> None:
    worker = await worker_of(shop, "one", SHADOW)
    await worker.read(3)
    await worker.pipeline.save()
    assert worker.steps() == []
    other = await worker_of(shop, "two", SHADOW, generation=2)
    assert other.pipeline.stats().opened == {"buys": {"shadow": 1}}


async def test_without_checkpoints_rules_are_taken_over_between_two_turns(shop: Shop) -> None:
    worker = Watched(shop, "one", BUYS, keeps=False)
    worker.pipeline.assigned({ORDERS}, 1)
    worker.pipeline.begin(ORDERS, 0)
    await worker.read(3)
    await worker.say(OTHER)
    await worker.read(5)
    assert worker.steps() == [("opened", ["buys"]), ("withdrawn", ["buys"]), ("opened", ["other"])]
    assert worker.pipeline.stats().rules_adopted == 1
    assert not shop.folder.exists()


async def test_rules_of_a_checkpoint_that_cannot_be_read_any_more_are_those_of_the_files(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await worker_of(shop, "one", BUYS)
    await worker.read(3)
    await worker.pipeline.save()
    (manifest,) = shop.folder.rglob("manifest.json")
    said = json.loads(manifest.read_text())
    said["rules"]["files"] = {"rules.yaml": BAD}
    del said["checksum"]
    manifest.write_bytes(_with_checksum(said))
    other = await worker_of(shop, "two", OTHER, generation=2)
    await other.pipeline.process()
    assert "its rules cannot be read any more" in caplog.text
    assert other.runs() == other.own
    assert other.steps() == [("withdrawn", ["buys"])]
    (change,) = other.audit()
    assert (change.rule_set_before, change.changes) == (worker.own, None)


async def test_a_checkpoint_of_before_there_was_a_word_on_rules_goes_on(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    await worker.pipeline.save()
    (manifest,) = shop.folder.rglob("manifest.json")
    said = json.loads(manifest.read_text())
    del said["rules"], said["checksum"], said["partitions"], said["rejected"]
    manifest.write_text(json.dumps(said))
    other = await worker_of(shop, "two", OTHER, generation=2)
    assert other.runs() == other.own
