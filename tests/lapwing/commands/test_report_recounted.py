"""`lapwing report` against a count of the raw events, as a stranger makes it, without engine and store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from consumers.reports.period import Period
from tests.lapwing.stored_replay import replayed, reported, stored
from tests.oracle.days import DAY, midnight
from tests.oracle.raw_histories import Spice, text_of, weekly_buyers, wholesaler
from tests.oracle.report import Recount, Terms
from tests.oracle.report_team import Team, handling
from tests.paths import ROOT

RULES: Final = """\
version: 1
rules:
  - id: silent
    title: Silent
    when: days_since_order > 12 AND orders_total >= 2
    clear: days_since_order < 1
    tier: high
    reason: silence
    play: reminder-mail
    message: silent
  - id: complaint
    title: A complaint
    when: open_complaints >= 1
    cooldown: 9d
    tier: medium
    reason: complaints
    play: reminder-mail
    message: a complaint
"""
ANSWER, SOLVE = 2, 9


@dataclass(frozen=True)
class Settings:
    """What a stranger would choose, and the periods to look at."""

    zone: str
    horizon: int
    active: int
    activity: str
    begin: date
    end: date
    periods: tuple[str, ...]
    """The first is the month of the first census."""

    @property
    def terms(self) -> Terms:
        zone = ZoneInfo(self.zone)
        until = midnight(self.end.toordinal(), zone)
        return Terms(
            zone,
            self.horizon * DAY,
            until,
            self.active * DAY,
            (self.activity.removesuffix("s"),),
            currency="EUR",
        )

    def spiced(self, seed: int) -> Spice:
        zone = ZoneInfo(self.zone)
        if self.begin.year < 2012:
            return Spice(seed, wholesaler(40, self.end.isoformat()), zone)
        days = (self.end - self.begin).days
        return Spice(seed, weekly_buyers(seed, 60, self.begin, days, zone), zone)

    def file(self, folder: Path) -> Path:
        rules = folder / "rules"
        rules.mkdir()
        (rules / "own.yaml").write_text(RULES)
        for name in ("plays.yaml", "reasons.yaml"):
            (rules / name).write_text((ROOT / "warning_rules" / name).read_text())
        path = folder / "lapwing.toml"
        known = {
            "rules": str(rules),
            "time_zone": self.zone,
            "horizon": f"{self.horizon}d",
            "active_within": f"{self.active}d",
            "activity": self.activity,
            "currency": "EUR",
            "min_positives": 5,
            "holdout_share": "0.2",
            "answer_within": f"{ANSWER}d",
            "solve_within": f"{SOLVE}d",
        }
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in known.items()))
        return path


SHOPS: Final = {
    # The clock goes forward and back within the history.
    "a real wholesaler": Settings(
        *("Europe/London", 60, 60, "orders", date(2009, 12, 1), date(2010, 8, 1)),
        ("2009-12", "2010-03", "2010-05", "2010-Q2", "2010-W13"),
    ),
    # One midnight is left out, 15 October.
    "weekly buyers": Settings(
        *("America/Sao_Paulo", 45, 30, "orders", date(2017, 8, 7), date(2018, 2, 1)),
        ("2017-08", "2017-10", "2017-12", "2017-10-15", "2017-10-10..2017-12-20"),
    ),
    "visitors": Settings(
        *("Asia/Tehran", 28, 14, "logins", date(2021, 1, 5), date(2021, 6, 1)),
        ("2021-01", "2021-03", "2021-04", "2021-03-22", "2021-W14"),
    ),
}


@dataclass(frozen=True)
class Case:
    """A shop stored, and the counts of its raw events."""

    settings: Settings
    store: Path
    words: tuple[str, ...]
    recount: Recount
    team: Team
    spice: Spice

    def figures(self, period: str) -> dict[str, Any]:
        found = reported(self.store, period, *self.words)
        assert found["failed_checks"] == []
        parts: dict[str, Any] = found["parts"]
        return parts


@pytest.fixture(scope="module", params=list(SHOPS))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    settings = SHOPS[request.param]
    folder = tmp_path_factory.mktemp("recounted")
    words = ("--config", str(settings.file(folder)))
    spice = settings.spiced(7)
    until = text_of(settings.terms.until)
    # The team's actions name the warnings, so these have to be known first; no rule depends on an action.
    steps = [json.loads(line) for line in replayed(folder, spice.lines, until, *words)["warnings"]]
    before = Recount(spice.lines, settings.terms)
    left = [(customer, at) for customer, _, at, _ in before.losses(0, settings.terms.until)]
    spice.act(steps, left)
    topics = replayed(folder, spice.lines, until, *words)
    steps = [json.loads(line) for line in topics["warnings"]]
    recount = Recount(spice.lines, settings.terms)
    return Case(settings, stored(folder, spice.lines, topics), words, recount, Team(recount, steps), spice)


def spans(case: Case) -> list[tuple[Period, dict[str, Any]]]:
    """Return each period with what the report says of it."""
    return [(Period.parse(text, case.settings.zone), case.figures(text)) for text in case.settings.periods]


def test_every_figure_is_that_of_the_raw_events(case: Case) -> None:
    groups = 0
    for number, (period, parts) in enumerate(spans(case)):
        begin, end, is_first = period.begin_us, period.end_us, number == 0
        is_month = period.kind == "month"
        kept_and_lost(case.recount, parts, begin, end, is_first=is_first)
        groups += by_group(case.recount, parts, begin, end, is_first=is_first, by_outcome=not is_month)
        times_of_lapse(case.recount, parts["lapses"], begin, end)
        funnels_and_reasons(case.team, parts, begin, end)
        alarm_quality(case.team, parts["alarms"]["opened_in_period"], begin, end)
        handled(case, parts["complaints"], begin, end)
    cohorts(case)
    assert groups > 40


def kept_and_lost(recount: Recount, parts: dict[str, Any], begin: int, end: int, *, is_first: bool) -> None:
    found, flow = parts["retention"], recount.flow(begin, end, first=is_first)
    names = ("acquired", "returned", "active") if is_first else tuple(flow.as_dict())
    assert {name: found[name] for name in names} == {name: getattr(flow, name) for name in names}
    assert found["lost_longer_ago"]["customers"] == recount.ages(end)
    if is_first:
        assert found["original"] is found["retention"] is found["absolute_churn"] is None
        return
    assert (found["retention"]["part"], found["retention"]["whole"]) == (flow.kept, flow.original)
    assert (found["absolute_churn"]["part"], found["absolute_churn"]["whole"]) == (flow.lost, flow.original)


def by_group(
    recount: Recount, parts: dict[str, Any], begin: int, end: int, *, is_first: bool, by_outcome: bool
) -> int:
    """Return how many groups were compared that are not hidden."""
    compared = 0
    for by, table in parts["groups"]["by"].items():
        own = recount.groups(by, begin, end, by_outcome=by_outcome)
        shown = {each["name"]: each for each in table["groups"] if not each["hidden"]}
        assert {each["name"] for each in table["groups"]} == {
            name for name, flow in own.items() if flow.active or (flow.original and not is_first)
        }
        lost = sum(each.lost for each in own.values())
        for name, each in shown.items():
            flow = own[name].as_dict()
            if is_first:  # all came for the first time
                flow |= {"original": 0, "kept": 0, "lost": 0, "acquired": flow["active"], "returned": 0}
            assert {key: each[key] for key in flow} == flow, (by, name)
            if not is_first:
                assert (each["share_of_lost"]["part"], each["share_of_lost"]["whole"]) == (flow["lost"], lost)
                within = each["rate_within"]
                assert (within["part"], within["whole"]) == (flow["lost"], flow["original"])
        compared += len(shown)
    return compared


def times_of_lapse(recount: Recount, found: dict[str, Any], begin: int, end: int) -> None:
    own = recount.lapses(begin, end)
    if not found["known"]:
        assert own["lapsed"] == own["closed"] == 0
        return
    for name in ("lapsed", "closed", "closed_after_lapse"):
        assert found[name] == own[name], name
    for name in ("tenure", "weekday", "month"):
        assert found[name]["total"] == sum(own[name].values())
        for bar in found[name]["bars"]:
            assert bar["n"] in (None, own[name][bar["name"]]), (name, bar)


def funnels_and_reasons(team: Team, parts: dict[str, Any], begin: int, end: int) -> None:
    for name, own in (("warnings", team.funnel(begin, end)), ("lapsed", team.won_back(begin, end))):
        steps = parts["funnels"][name]["steps"]
        assert {each["step"]: each["n"] for each in steps} == {
            each["step"]: own.get(each["step"], 0) for each in steps
        }
        assert steps[-1]["not_known_yet"] == own.get("not_known", 0)
    found, reasons = parts["reasons"], team.reasons(begin, end)
    for name in ("lost", "suggested", "confirmed", "stated", "known", "unknown", "not_reached", "not_asked"):
        assert found[name] == reasons.get(name, 0), name
    for group in found["groups"]:
        for each in group["parts"] or [group]:
            for source, codes in reasons["codes"].items():
                if each["code"] in codes or group["parts"]:
                    assert each[source] in (None, codes.get(each["code"], 0)), (each, source)


def alarm_quality(team: Team, found: dict[str, Any], begin: int, end: int) -> None:
    own = team.alarms(begin, end)
    assert (found["losses"], found["missed"]["all"]["missed_of_lost"]["part"]) == (
        own["losses"],
        own["missed"],
    )
    for each in found["warnings"]:
        precision = each["precision"]
        assert (precision["part"], precision["whole"]) == own["tiers"].get(each["tier"], (0, 0))
    for each in found["rules"]:
        precision = each["precision"]
        judged = own["rules"].get((each["rule"], each["tier"]), (0, 0))
        assert (precision["part"], precision["whole"]) == judged, each["rule"]


def handled(case: Case, found: dict[str, Any], begin: int, end: int) -> None:
    now = case.settings.terms.until
    own = handling(case.recount.kept, begin, end, now, ANSWER * DAY, SOLVE * DAY)
    answer, solution = found["all"]["first_answer"], found["all"]["solution"]
    assert found["all"]["n"] == own["n"]
    assert (answer["days"]["count"], solution["days"]["count"]) == (own["answers"], own["solutions"])
    assert answer["days"].get("median") == pytest.approx(own["answer_median"])
    assert solution["days"].get("median") == pytest.approx(own["solution_median"])
    assert (answer["late"]["part"], solution["late"]["part"]) == (own["late_answers"], own["late_solutions"])


def cohorts(case: Case) -> None:
    """Compare how many of each month's new customers are still there, by the newest month looked at."""
    recount, zone = case.recount, case.settings.zone
    months = [text for text in case.settings.periods if Period.parse(text, zone).kind == "month"]
    shown = 0
    for each in case.figures(months[-1])["cohorts"]["cohorts"]:
        if each["hidden"]:
            continue
        members = {
            customer
            for customer in recount.of
            if (month := recount.cohort(customer)) is not None
            and (month <= each["month"] if each["backlog"] else month == each["month"])
        }
        at = Period.parse(each["month"], zone)
        assert each["size"] == len(members & recount.active(at.end_us))
        for cell in each["after_months"]:
            shown += 1
            left_out = sum(exclusion["n"] for exclusion in cell["exclusions"])
            assert cell["part"] + left_out == len(members & recount.active(at.end_us))
            at = at.after()
    assert shown
