"""What the demo shows, and what it makes that of: warnings, statistics, figures, the report."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lapwing.demo.ledger import Episode, Ledger
from lapwing.demo.outcome import InTime, ObservedOutcome, SimulatedOutcome
from lapwing.demo.report import observed_report, simulated_report
from lapwing.demo.screen import Screen, ScreenFigures, panel, plain, warning_line
from lapwing.demo.stats import WorkerStats
from streams.contract.instants import read_instant, to_us
from streams.contract.warnings import WarningEvent, warning_event
from streams.core.steps import Cause, Step, StepKind, Tier
from streams.share import Share

JUNE = to_us(read_instant("2024-06-01T00:00:00Z"))
DAY = 86_400_000_000


def event(
    kind: StepKind = StepKind.OPENED,
    number: int = 1,
    tier: Tier = Tier.HIGH,
    day: int = 0,
    warning: str = "w1",
    customer: str = "c1",
    probability: float | None = None,
) -> WarningEvent:
    causes = tuple(
        Cause("r", "0" * 12, "A title", tier, "silence", None, None, JUNE, JUNE, message, {})
        for message in ("No order for 30 days", "Two complaints")
    )
    step = Step(
        kind, customer, JUNE + day * DAY, warning, number, tier, JUNE, causes, probability, 90, None, (), "h"
    )
    return warning_event(step, "demo")


def figures(**given: object) -> ScreenFigures:
    values: dict[str, object] = {
        "title": "a shop",
        "at": JUNE,
        "part": 0.5,
        "sent": 2_000,
        "processed": 1_900,
        "rate": 1234.4,
        "lag": 100,
        "warnings": 42,
        "open_by_tier": {"high": 3, "low": 9},
        "stored": 41,
    }
    return ScreenFigures(**(values | given))  # type: ignore[arg-type]  # values of many types by name


def drawn(thing: object) -> str:
    console = Console(file=io.StringIO(), width=110, force_terminal=False)
    console.print(thing)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class TestLedger:
    def test_a_warning_is_open_until_it_is_resolved(self) -> None:
        ledger = Ledger()
        ledger.add(event())
        assert ledger.open_by_tier() == {"high": 1}
        assert ledger.episodes() == [Episode("c1", JUNE, None, Tier.HIGH)]
        ledger.add(event(StepKind.RESOLVED, 2, day=5))
        assert ledger.open_by_tier() == {}
        assert ledger.episodes() == [Episode("c1", JUNE, JUNE + 5 * DAY, Tier.HIGH)]

    def test_repeats_and_older_steps_change_nothing(self) -> None:
        ledger = Ledger()
        for step in (
            event(),
            event(StepKind.RESOLVED, 2, day=5),
            event(),
            event(StepKind.RESOLVED, 2, day=5),
        ):
            ledger.add(step)
        assert len(ledger) == 1
        assert ledger.open_by_tier() == {}

    def test_the_highest_tier_is_kept_for_the_outcome_and_the_newest_for_the_display(self) -> None:
        ledger = Ledger()
        ledger.add(event(tier=Tier.LOW))
        ledger.add(event(StepKind.ESCALATED, 2, Tier.HIGH))
        ledger.add(event(StepKind.UPDATED, 3, Tier.MEDIUM))
        assert ledger.open_by_tier() == {"medium": 1}
        assert ledger.episodes()[0].tier is Tier.HIGH


class TestStats:
    def line(self, events: int, lag: int, at: float = 0.0) -> str:
        reading = {"events": events, "refused": 0, "late": 0, "lag": {"orders/0": lag}, "written_at": at}
        return json.dumps(reading) + "\n"

    def test_the_rate_is_between_the_last_two_lines_whenever_they_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "stats"
        stats = WorkerStats(path)
        stats.read()
        assert (stats.readings, stats.rate) == (0, 0.0)
        path.write_text(self.line(100, 7, 10.0))
        stats.read()
        with path.open("a") as file:
            file.write(self.line(500, 3, 12.0))
        stats.read()
        assert (stats.events, stats.behind, stats.rate) == (500, 3, 200.0)
        with path.open("a") as file:  # the screen stood still for three lines
            file.writelines(self.line(500 + 300 * n, 3, 12.0 + n) for n in (1, 2, 3))
        stats.read()
        assert (stats.events, stats.rate) == (1_400, 300.0)
        with path.open("a") as file:  # the clock was put back
            file.write(self.line(1_500, 3, 12.0))
        stats.read()
        assert (stats.events, stats.rate) == (1_500, 300.0)

    def test_half_a_line_waits_for_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "stats"
        stats = WorkerStats(path)
        whole = self.line(1, 0) + self.line(2, 0)
        path.write_text(whole[:-5])
        stats.read()
        assert stats.events == 1
        path.write_text(whole)
        stats.read()
        assert stats.events == 2

    def test_it_has_settled_when_two_readings_on_nothing_has_moved(self, tmp_path: Path) -> None:
        path = tmp_path / "stats"
        stats = WorkerStats(path)
        settled = []
        for events, lag in ((5, 3), (8, 0), (8, 0), (8, 0), (9, 0)):
            with path.open("a") as file:
                file.write(self.line(events, lag))
            stats.read()
            settled.append(stats.settled(1))
        assert settled == [False, False, False, True, False]


class TestScreen:
    def test_the_panel_holds_every_figure(self) -> None:
        text = drawn(panel(figures(note="the worker starts")))
        for said in ("a shop", "2024-06-01", "1,234", "lag 100", "events 1,900", "open warnings 12"):
            assert said in text
        for said in (
            "high 3",
            "medium 0",
            "low 9",
            "warnings so far 42",
            "in the database 41",
            "the worker starts",
        ):
            assert said in text

    def test_before_the_first_event_there_is_no_date(self) -> None:
        assert "simulated date -" in drawn(panel(figures(at=None, stored=None)))

    def test_the_plain_line_holds_the_same(self) -> None:
        assert plain(figures()) == (
            "-- 2024-06-01  1,234 events/s, lag 100, open warnings: 3 high, 0 medium, 9 low"
        )

    def test_a_warning_is_told_with_all_its_reasons(self) -> None:
        line = warning_line(event(StepKind.ESCALATED, 2, customer="c\x1b[31m7", probability=0.734)).plain
        assert line == (
            "2024-06-01  high   escalated  c [31m7  No order for 30 days; Two complaints (p=0.73)"
        )

    def shown(self, events: list[WarningEvent], instants: list[float]) -> list[str]:
        clock = iter(instants)
        console = Console(file=io.StringIO(), width=200)
        with Screen(console, lambda: next(clock)) as screen:
            for shown in events:
                screen.add(shown)
            for _ in instants:
                screen.show(figures())
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().splitlines()

    def test_no_more_lines_come_than_can_be_read(self) -> None:
        many = [event(warning=f"w{i}", customer=f"c{i}") for i in range(30)]
        lines = self.shown(many, [0.0, 0.1, 0.2])
        assert [line[:2] for line in lines] == ["20", "--"]
        assert "c29" in lines[0]

    def test_figures_come_now_and_then_where_there_is_no_terminal(self) -> None:
        assert len(self.shown([], [0.0, 1.0, 4.9, 5.0, 9.0])) == 2

    def test_a_step_that_is_no_news_is_not_printed(self) -> None:
        lines = self.shown([event(StepKind.RESOLVED, 2), event(StepKind.UPDATED, 2)], [0.0])
        assert [line[:2] for line in lines] == ["--"]

    def test_less_urgent_warnings_have_their_turn(self) -> None:
        now = 0.0
        console = Console(file=io.StringIO(), width=200)
        screen = Screen(console, lambda: now)
        for turn in range(4):
            now = float(turn)
            for tier in Tier:
                screen.add(event(tier=tier))
            screen.show(figures())
        assert isinstance(console.file, io.StringIO)
        tiers = [line.split()[1] for line in console.file.getvalue().splitlines() if line[:2] == "20"]
        assert tiers == ["high", "medium", "high", "low"]


class TestReport:
    def test_a_simulated_shop_is_judged_by_its_truth(self) -> None:
        outcome = SimulatedOutcome(
            in_time=InTime(Share(3, 4), 61.6, -2.4),
            by_kind={"complaint_leaver": Share(1, 2), "fader": Share(2, 2)},
            too_recent=7,
            right=Share(5, 10),
            right_by_tier={"low": Share(1, 6), "high": Share(4, 4)},
            false_by_kind={"holiday": 4, "slow": 1},
            stayers_alarmed=Share(5, 50),
            stayers_alarmed_high=Share(1, 50),
        )
        said = """\
Leavers    3 of 4 (75%) were warned of before they were counted as lost (90 days without an
           order), at the median 62 days ahead of that day, 2 days before their last order
           complaint leaver 1 of 2 (50%), fader 2 of 2 (100%)
           7 more left less than 90 days before the end: not judged
Warnings   5 of 10 (50%) were about a customer who was leaving or had left (precision)
           high 4 of 4 (100%), low 1 of 6 (17%)
           5 were false: holiday 4, slow 1
           5 of 50 (10%) customers who never meant to leave were warned of at some time, 1 of 50
           (2%) with high urgency"""
        assert simulated_report(outcome, 90) == said.splitlines()

    @pytest.mark.parametrize(("warned", "shown"), [(Share(0, 3), "0 of 3 (0%)"), (Share(0, 0), "0 of 0")])
    def test_a_file_is_judged_by_the_orders_that_came(self, warned: Share, shown: str) -> None:
        outcome = ObservedOutcome(
            InTime(warned, None, None), Share(2, 5), {"medium": Share(2, 5)}, 4, Share(30, 100)
        )
        lines = observed_report(outcome, 60)
        assert lines[:4] == [
            "Warnings   2 of 5 (40%) confirmed: no order within 60 days after the warning",
            "           medium 2 of 5 (40%)",
            "           3 false: an order came within 60 days",
            "           4 not yet known: opened less than 60 days before the end",
        ]
        assert "30 of 100 (30%) active customers" in lines[4]
        assert lines[6].startswith(f"Lost       {shown} were warned of before")
        assert lines[6].endswith("counted as lost (60 days without an order)")
        assert max(map(len, lines)) <= 100
