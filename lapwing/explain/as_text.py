"""An explanation for people: the warning and what would end it, then every rule, then the history."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from lapwing.explain.decision_text import decision_lines
from lapwing.terminal.text import counted, printable
from streams.core.conditions.format import number_text
from streams.core.events.topics import REQUIRED, Topic
from streams.core.explain.explain import Explanation, RuleView
from streams.core.explain.parts import Join, Part, Verdict
from streams.core.explain.smallest_change import FeatureChange
from streams.core.explain.snapshot import MissingFeature
from streams.core.explain.what_if import MOST, Ending
from streams.core.rules.messages import shown
from streams.core.steps import Cause, Step, StepKind, Tier, Value
from streams.core.warnings.causes import CausePhase

COLOURS: Final = {Tier.HIGH: "red", Tier.MEDIUM: "yellow", Tier.LOW: "cyan"}
MARKS: Final = {
    Verdict.TRUE: ("\u2713", "green"),
    Verdict.FALSE: ("\u2717", "red"),
    Verdict.MISSING: ("?", "yellow"),
}
SHARES: Final = 6
"""Contributions of the model that are shown."""
_EVENTS: Final = {Topic.ORDERS: "order", Topic.LOGINS: "login", Topic.COMPLAINTS: "complaint resolved"}
_SIDES: Final = {"<": "below", "<=": "at most", "=": "exactly", ">=": "at least", ">": "above"}


def written(explanation: Explanation, zone: str) -> RenderableType:
    """Return the whole explanation; instants are in the time zone `zone`."""
    page = _Page(explanation, zone)
    return Group(*page.head(), *page.model(), *page.rules(), *page.history())


class _Page:
    """One explanation being written."""

    def __init__(self, explanation: Explanation, zone: str) -> None:
        self.explanation = explanation
        self.snapshot = explanation.snapshot
        self.zone = zone
        self.absent: dict[str, MissingFeature] = {
            each.feature: each for view in explanation.rules for each in view.missing
        }

    # -- the warning -------------------------------------------------------------------------------

    def head(self) -> Iterator[RenderableType]:
        """Yield the customer, the warning, and what would end it."""
        explained, at = self.explanation, self.when(self.snapshot.at)
        yield Text.assemble(
            ("Customer ", "bold"), (printable(explained.customer_id), "bold"), f" at {at} {self.zone}",
            (f"   from {explained.source}, rule set {explained.rule_set}", "dim"),
        )  # fmt: skip
        yield from self._sources()
        yield Text()
        open_ones = [view for view in explained.rules if view.is_open and view.rule.status != "shadow"]
        if explained.warning is None:
            yield Text("No warning is open.", style="bold green")
            yield from self._nearest()
            return
        warning = explained.warning
        yield Text.assemble(
            ("Warned of: ", "bold"), (warning.tier.label, f"bold {COLOURS[warning.tier]}"),
            f", since {self.when(warning.opened_at)} ({_long(self.snapshot.at - warning.opened_at)})",
        )  # fmt: skip
        for view in open_ones:
            cause = next((c for c in warning.causes.values() if c.rule == view.rule.id), None)
            yield from self._cause(view, cause)
        if explained.decision is not None:
            table = Table.grid(padding=(0, 2))
            table.add_column(no_wrap=True)
            table.add_column(justify="right", no_wrap=True)
            table.add_column()
            for name, amount, how in decision_lines(explained.decision, self.snapshot.value_parts):
                table.add_row(Text(name, style="dim"), Text(amount, style="bold"), Text(printable(how)))
            yield Text("  What a rescue is worth", style="bold")
            yield Padding(table, (0, 0, 0, 4))
        if warning.holdout:
            yield Text("  Held out: shown to nobody, to measure what plays do.", style="yellow")

    def _sources(self) -> Iterator[RenderableType]:
        for topic, newest in self.snapshot.quiet.items():
            since = self.when(newest)
            text = f"{topic.label} are quiet, none from any customer since {since}"
            yield Text(f"{text}: features that read them are missing", style="yellow")
        silent = [topic.label for topic in REQUIRED if topic not in self.explanation.topics_seen]
        if silent:
            text = (
                f"No {' and no '.join(silent)} from any customer so far: their counts are 0 and mean nothing."
            )
            yield Text(text, style="yellow")

    def _cause(self, view: RuleView, cause: Cause | None) -> Iterator[RenderableType]:
        lines = Table.grid(padding=(0, 2))
        lines.add_column(no_wrap=True)
        lines.add_column()
        lines.add_row(Text("why", style="dim"), Text(view.rule.title or view.rule.id))
        if cause is not None and cause.message:
            lines.add_row(Text("when opened", style="dim"), Text(printable(cause.message)))
        lines.add_row(Text("now", style="dim"), Text(printable(view.message)))
        lines.add_row(Text("clear when", style="dim"), self._ends_when(view))
        lines.add_row(Text("what ends it", style="dim"), Text(self._so(view), style="bold"))
        yield Text.assemble("  ", (view.rule.id, f"bold {COLOURS[view.rule.tier]}"))
        yield Padding(lines, (0, 0, 0, 4))

    def _ends_when(self, view: RuleView) -> Text:
        own = " ".join(view.rule.clear.split()) if view.rule.clear else "its condition is no longer true"
        line = Text(own)
        if view.changes:
            line.append("; the smallest change: " + "; ".join(map(_change, view.changes)), style="dim")
        return line

    def _so(self, view: RuleView) -> str:
        """Return what the customer could do now that would end a cause."""
        keep = view.rule.keep_open_for_us
        hold = f", once it has stayed so for {_long(keep)}" if keep else ""
        if view.clear.verdict is Verdict.TRUE:
            if view.due is not None:
                return f"it is clear now, and ends from {self.when(view.due)} on if it still is"
            return f"it is clear now, and ends at the next evaluation{hold}"
        if not view.endings:
            return f"{MOST} orders or logins at once would not end it"
        return f"{' or '.join(map(_ending, view.endings))} would end it{hold}"

    def _nearest(self) -> Iterator[RenderableType]:
        """Yield the rule that is nearest to a warning."""
        near = [v for v in self.explanation.rules if v.rule.status != "shadow" and v.distance < math.inf]
        if near:
            view = near[0]
            line = Text.assemble("Nearest: ", (view.rule.id, "bold"), f", {self._standing(view)}")
            if view.changes:
                line.append("; it would take " + "; ".join(map(_change, view.changes)))
            yield line

    # -- the model --------------------------------------------------------------------------------

    def model(self) -> Iterator[RenderableType]:
        """Yield the probability and what made it."""
        yield Text()
        model = self.snapshot.model
        if model is None:
            yield Text(f"Churn probability: none ({self.snapshot.learned or 'the model is switched off'})")
            return
        yield Text.assemble(
            ("Churn probability: ", "bold"), (f"{model.probability:.0%}", "bold"),
            f" within {model.horizon_days} days", (f"   model {model.version}", "dim"),
        )  # fmt: skip
        table = Table.grid(padding=(0, 2))
        for share in model.shares[:SHARES]:
            does = "raises" if share.contribution > 0 else "lowers"
            style = "red" if share.contribution > 0 else "green"
            table.add_row(
                Text(f"{share.contribution:+.2f}", style=style),
                Text(f"{share.feature} {_shown(share.value)} {does} it"),
            )
        yield Padding(table, (0, 0, 0, 4))
        rest = len(model.shares) - SHARES
        if rest > 0:
            total = sum(share.contribution for share in model.shares[SHARES:])
            text = f"    {total:+.2f} by {rest} more, {model.bias:+.2f} for everybody; shares of the log odds"
            yield Text(text, style="dim")

    # -- every rule -------------------------------------------------------------------------------

    def rules(self) -> Iterator[RenderableType]:
        """Yield every rule with its condition and the values in it."""
        yield Text()
        yield Line("Rules", align="left", style="dim")
        for view in self.explanation.rules:
            yield from self._rule(view)
        if self.explanation.idle:
            names = ", ".join(f"{rule.id} ({rule.status.value})" for rule in self.explanation.idle)
            yield Text(f"Not evaluated: {names}")

    def _rule(self, view: RuleView) -> Iterator[RenderableType]:
        rule = view.rule
        shadow = " shadow, warns nobody" if rule.status == "shadow" else ""
        if rule.paused is not None:
            shadow = f" paused ({rule.paused}), warns nobody"
        yield Text.assemble(
            (rule.id, f"bold {COLOURS[rule.tier]}"), f" {rule.tier.label}{shadow}: ",
            (self._standing(view), "bold" if view.state is not None else ""),
        )  # fmt: skip
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        table.add_column()
        for part in view.when.parts if view.when.join is Join.ALL else (view.when,):
            self._part(table, part, 0)
        if view.is_open:
            table.add_row(Text("clears when", style="dim"))
            own = view.own_clear
            for part in own.parts if own.join is Join.ALL else (own,):
                self._part(table, part, 0)
        yield Padding(table, (0, 0, 0, 4))
        if view.changes:
            what = "clear it" if view.is_open else "make it true"
            text = f"    smallest change to {what}: {'; '.join(map(_change, view.changes))}"
            yield Text(text, style="dim")
        elif view.changes is None and not view.missing:
            yield Text("    no change of its numbers would make it true", style="dim")
        yield Text()

    def _standing(self, view: RuleView) -> str:
        """Return where a cause stands, and what it waits for."""
        verdict, state = view.when.verdict, view.state
        due = "" if view.due is None else self.when(view.due)
        match state.phase if state is not None else None:
            case CausePhase.OPEN | CausePhase.CLEARING:
                assert state is not None
                opened = f"open since {self.when(state.opened_at)} (true since {self.when(state.since)})"
                if state.phase is CausePhase.CLEARING:
                    cleared = self.when(state.clearing_since)
                    return f"{opened}; clear since {cleared}, ends from {due} on if it still is"
                return opened
            case CausePhase.PENDING:
                assert state is not None
                return (
                    f"true since {self.when(state.since)}, waits for `for`: opens from {due} on if still true"
                )
            case CausePhase.COOLING if verdict is Verdict.TRUE:
                return f"true, in its cooldown until {due}"
            case CausePhase.COOLING:
                return f"{self._verdict(view)}; in its cooldown until {due}"
        if verdict is Verdict.TRUE:
            return "true now, so it begins at the next evaluation"
        return self._verdict(view)

    def _verdict(self, view: RuleView) -> str:
        if view.when.verdict is Verdict.MISSING:
            names = sorted({name for gap in view.gaps for name in gap.missing})
            return f"missing, for it depends on {' and '.join(names)}"
        if math.isinf(view.distance):
            return f"{view.when.verdict.value}, and no change of a number would make it true"
        if math.isnan(view.distance):
            return f"{view.when.verdict.value}, how far is unknown: a value is missing"
        return f"{view.when.verdict.value}, {_share(view.distance)} away"

    def _part(self, table: Table, part: Part, depth: int) -> None:
        mark, colour = MARKS[part.verdict]
        indent = "  " * depth
        if part.parts:
            table.add_row(Text.assemble(indent, (mark, colour), f" {part.join.value}"))
            for each in part.parts:
                self._part(table, each, depth + 1)
            return
        shown_part = Text.assemble(indent, (mark, colour), f" {part.text}")
        value = Text(_shown(part.value) if part.feature else "", style="bold")
        table.add_row(shown_part, value, Text(self._note(part), style="dim"))

    def _note(self, part: Part) -> str:
        """Return why a value is missing, and the features where a comparison reads several."""
        notes = [_why(self.absent[name]) for name in part.missing if name in self.absent]
        if isinstance(part.threshold, float) and not part.text.endswith(f" {number_text(part.threshold)}"):
            notes.insert(0, f"against {shown(part.threshold)}")
        if [value for _, value in part.values] != [part.value] and part.feature != part.values[0][0]:
            notes.append(", ".join(f"{name} {_shown(value)}" for name, value in part.values))
        return "; ".join(notes)

    # -- the history ---------------------------------------------------------------------------------

    def history(self) -> Iterator[RenderableType]:
        """Yield every step of the customer's warnings."""
        explained = self.explanation
        yield Line("History", align="left", style="dim")
        if explained.history_from is not None:
            text = f"A checkpoint holds open warnings only: steps before {self.when(explained.history_from)}"
            yield Text(f"{text} are on the warnings topic.", style="dim")
        if not explained.history:
            yield Text("No warning so far." if explained.history_from is None else "No step since.")
            return
        table = Table.grid(padding=(0, 2))
        before: dict[str, Cause] = {}
        for step in explained.history:
            before = self._step(table, step, before)
        yield table

    def _step(self, table: Table, step: Step, before: dict[str, Cause]) -> dict[str, Cause]:
        """Add a step with the causes that joined and left, and return those open after it."""
        ended = step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN)
        causes_now = {cause.rule: cause for cause in step.causes}
        open_now = {} if ended else causes_now
        # A cause that leaves while others stay is not in the step: with which values is not known.
        left = [(cause, "") for rule, cause in before.items() if rule not in causes_now]
        left += [(cause, cause.message) for cause in step.causes if ended]
        joined = [(cause, cause.message) for rule, cause in open_now.items() if cause != before.get(rule)]
        causes = Text("\n").join(
            Text.assemble(f"{sign} ", (cause.rule, COLOURS[cause.tier]), f"  {printable(message)}")
            for sign, lines in (("-", left), ("+", joined))
            for cause, message in lines
        )
        kind = Text(step.kind.value, style="green" if ended else "bold")
        table.add_row(Text(self.when(step.at)), kind, Text(step.tier.label, COLOURS[step.tier]), causes)
        return open_now

    def when(self, us: int) -> str:
        """Return an instant on the business's clock, to the minute, or finer where it is."""
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
        local = instant.astimezone(ZoneInfo(self.zone))
        return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def _shown(value: Value) -> str:
    return printable(shown(value))


def _change(change: FeatureChange) -> str:
    bound = shown(int(change.bound) if float(change.bound).is_integer() else change.bound)
    return f"{change.feature} from {shown(change.value)} to {_SIDES[change.op]} {bound}"


def _ending(ending: Ending) -> str:
    noun = _EVENTS[ending.topic]
    if ending.topic is Topic.COMPLAINTS:
        noun = noun if ending.count == 1 else "complaints resolved"
    elif ending.count > 1:
        noun += "s"
    return f"{ending.count} {noun}"


def _why(missing: MissingFeature) -> str:
    return f"missing, {missing.why.value}: {missing.detail}"


def _share(distance: float) -> str:
    if distance < 0.01:
        return "under 1 %"
    return f"{distance:.0%}".replace("%", " %") if distance < 10 else f"{distance:.0f} times the threshold"


def _long(us: int) -> str:
    """Return a duration in the largest unit that it fills twice, such as `19 days`."""
    for unit, size in (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000)):
        count = us // size
        if count >= 2 or (count == 1 and us % size == 0):
            return counted(count, unit)
    return f"{us / 1e6:g} seconds"
