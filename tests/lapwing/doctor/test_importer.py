"""What the doctor finds about the importer of topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consumers.desk.installation import Figure, ProcessState
from lapwing.doctor.check import made
from lapwing.doctor.importer import LATE, importer
from lapwing.doctor.installation import Installation
from lapwing.lag import Unread
from lapwing.settings.settings import load_settings

FILE = """\
version: 1
sources:
  shop:
    topic: shop.sales
    events: [{to: orders, fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, amount: v}}]
"""
NOTHING_WAITS = {"shop.sales": Unread()}


class Shop(Installation):
    """An installation with a made-up broker and made-up processes."""

    def __init__(
        self,
        folder: Path,
        text: str | None = FILE,
        unread: Mapping[str, Unread] | None = NOTHING_WAITS,
        running: Sequence[ProcessState] = (),
        topics: Sequence[str] = ("shop.sales", "orders", "lapwing.rejected"),
    ) -> None:
        environ = {}
        if text is not None:
            (folder / "follow.yaml").write_text(text)
            environ = {"LAPWING_IMPORT_INPUTS": str(folder / "follow.yaml")}
        super().__init__(load_settings(environ=environ))
        self._unread = unread
        self._running = running
        self._topics = dict.fromkeys(topics, 2)

    def ask_topics(self) -> Mapping[str, int]:
        return self._topics

    def ask_unimported(self) -> Mapping[str, Unread] | None:
        return self._unread

    def ask_processes(self) -> Sequence[ProcessState]:
        return self._running


def found(shop: Installation) -> tuple[str, str]:
    result = made("importer", lambda: importer(shop))
    return result.outcome.value, result.detail


def process(inputs: str, *, ready: bool = True) -> ProcessState:
    figure = Figure("lapwing_import_inputs_info", {"inputs": inputs}, 1.0, "")
    return ProcessState(
        "m:9470", process="importer", version="1", healthy=True, ready=ready, figures=(figure,)
    )


def test_without_a_file_nothing_is_checked(tmp_path: Path) -> None:
    assert found(Shop(tmp_path, None))[0] == "skipped"


def test_all_is_well_where_nothing_waits(tmp_path: Path) -> None:
    outcome, text = found(Shop(tmp_path))
    assert (outcome, "follows shop.sales" in text) == ("ok", True)
    hash_ = text.partition("inputs ")[2].partition(";")[0]
    outcome, text = found(Shop(tmp_path, running=[process(hash_), process(hash_)]))
    assert (outcome, text.endswith("2 importers run")) == ("ok", True)


def test_a_file_with_mistakes_or_without_its_topics_fails(tmp_path: Path) -> None:
    outcome, text = found(Shop(tmp_path, FILE.replace("event_id: id, ", "")))
    assert (outcome, "follow.yaml:5" in text) == ("failed", True)
    outcome, text = found(Shop(tmp_path, FILE.replace("shop.sales", "orders")))
    assert (outcome, "read again without end" in text) == ("failed", True)
    outcome, text = found(Shop(tmp_path, topics=["orders"]))
    assert (outcome, "no topic lapwing.rejected, shop.sales" in text) == ("failed", True)


def test_what_waits_for_long_is_found_and_what_has_just_come_is_not(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert found(Shop(tmp_path, unread=None)) == (
        "warning",
        "nothing of them was read yet: start `lapwing import --follow`",
    )
    late = {"shop.sales": Unread(70, now - LATE - timedelta(hours=2))}
    outcome, text = found(Shop(tmp_path, unread=late))
    assert (outcome, "70 records of shop.sales are not imported" in text) == ("warning", True)
    assert found(Shop(tmp_path, unread={"shop.sales": Unread(70, now)}))[0] == "ok"


def test_a_process_that_cannot_work_or_has_another_file_is_named(tmp_path: Path) -> None:
    outcome, text = found(Shop(tmp_path, running=[process("another"), process("another", ready=False)]))
    assert outcome == "warning"
    assert text.count("the importer at m:9470 maps by inputs another") == 2
    assert text.count("cannot work") == 1
    other = ProcessState("w:9464", process="worker", version="1", healthy=True, ready=False, figures=())
    assert found(Shop(tmp_path, running=[other]))[0] == "ok"
