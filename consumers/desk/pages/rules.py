"""The rules with their live counts, and how good they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from consumers import charts
from consumers.desk.desk import Desk
from consumers.desk.people.person import Person, Role
from consumers.desk.people.sign_in import Viewer
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.order import Section
from consumers.desk.rendering import count, percent, render, word
from consumers.desk.reports.live_counts import LiveCounts, Tally
from consumers.desk.reports.reports import PERIODS
from consumers.desk.rulebook import RuleView
from consumers.language import _, gettext
from consumers.scorecard.scorecard import Score, Scorecard
from streams.share import Share

router = APIRouter()

STATUSES = {
    "active": (_("In force"), _("They warn.")),
    "shadow": (_("In shadow"), _("They are evaluated and counted, and warn nobody.")),
    "draft": (_("Drafts"), _("They are read and not evaluated.")),
    "paused": (_("Paused"), _("They are not evaluated for now.")),
    "retired": (_("Retired"), _("They are evaluated no more.")),
}
PERIOD_NAMES = {None: _("since the beginning"), 365: _("12 months"), 182: _("6 months"), 91: _("3 months")}
CAUTIONS = (
    _(
        "Customers who were helped in time look like false alarms: look beside it at the precision of those "
        "held out, or not treated."
    ),
    _("Recall takes a rule as if it had been there for the whole period: choose a short one for a new rule."),
    _(
        "Intervals (95 %%, Wilson's score) take warnings as independent; several of one customer, and a "
        "season that all share, make the true ones wider."
    ),
)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule with what is counted of it."""

    rule: RuleView
    open: int | None
    """`None` where it is not known: while it is being counted, and of rules that warn nobody."""
    opened_week: int | None
    opened_month: int | None
    muted: int | None
    queue: str
    """The query of the queue's page that shows the customers of whom it is open."""
    score: Score | None
    """Of the causes with the tier that the rule has now."""


@router.get("/rules")
def show_rules(request: Request, person: Viewer) -> Response:
    """Show the rules by their status."""
    desk: Desk = request.app.state.desk
    view = desk.rulebook.current()
    live, card = desk.reports.live(), desk.reports.scorecard(None)
    rows = rows_of(view.rules, live.value, card.value, person)
    by_status = {
        status: [row for row in rows if row.rule.status == status]
        for status in STATUSES
        if any(row.rule.status == status for row in rows)
    }
    return render(
        request,
        "rules.html",
        rulebook=view,
        live=live,
        card=card,
        by_status=by_status,
        statuses=STATUSES,
        titles={each.id: each.title for each in view.reasons},
    )


def rows_of(
    rules: Sequence[RuleView], live: LiveCounts | None, card: Scorecard | None, person: Person
) -> list[RuleRow]:
    """Return the rules with what somebody may see of them."""
    operator = person.may(Role.OPERATOR)
    scores = {} if card is None else {(each.rule, each.tier): each.score for each in card.rules}

    def seen(rule: RuleView, counts: Mapping[str, Tally] | None) -> int | None:
        if counts is None or rule.status != "active":
            return None
        return counts[rule.id].seen(operator) if rule.id in counts else 0

    return [
        RuleRow(
            rule,
            seen(rule, live.open if live else None),
            seen(rule, live.opened_week if live else None),
            seen(rule, live.opened_month if live else None),
            seen(rule, live.muted_month if live else None) if rule.by is None else None,
            whole_queue(person, QueueFilter(rule=(rule.id,))),
            scores.get((rule.id, rule.tier)),
        )
        for rule in rules
    ]


def whole_queue(person: Person, wanted: QueueFilter) -> str:
    """Return the query of the queue's page that shows all open warnings of a filter, attended ones too."""
    hidden = () if person.may(Role.OPERATOR) else (Section.HELD_OUT,)
    sections = tuple(section for section in Section if section not in hidden)
    return replace(wanted, all=True, show=sections).to_query()


@router.get("/scorecard")
def show_scorecard(request: Request, person: Viewer, days: int | None = None) -> Response:
    """Show how good warnings and rules were."""
    desk: Desk = request.app.state.desk
    chosen = days if days in PERIODS else None
    result = desk.reports.scorecard(chosen)
    return render(
        request,
        "scorecard.html",
        result=result,
        chart=chart(result.value) if result.value is not None else None,
        periods=PERIOD_NAMES,
        chosen=chosen,
        titles={each.id: each.title for each in desk.rulebook.current().rules},
        horizon_days=desk.config.horizon / 86_400_000_000,
        cautions=CAUTIONS,
    )


def chart(card: Scorecard) -> Markup:
    """Return precision and recall of all warnings, of tiers and of rules as a plot."""
    rows: list[tuple[str, str, Sequence[charts.Dot]]] = []
    for each in card.warnings:
        name = gettext("all warnings") if each.tier is None else word(each.tier)
        rows.append((name, "all" if each.tier is None else "", _dots(each.score)))
    rows += [
        (each.rule, "" if each.status == "active" else "shadow", _dots(each.score)) for each in card.rules
    ]
    heads, label = (gettext("Precision"), gettext("Recall")), gettext("Precision and recall")
    absent = gettext("not yet known")
    return Markup(
        charts.for_both(lambda width: charts.forest(rows, heads, label, absent=absent, width=width))
    )


def _dots(score: Score) -> tuple[charts.Dot, charts.Dot]:
    return _dot(score.precision), _dot(score.recall)


def _dot(share: Share) -> charts.Dot:
    low, high = share.limits
    numbers = f"{count(share.part)}/{count(share.whole)}"
    return charts.Dot(
        share.value, low, high, f"{percent(share.value)} ({numbers}; {percent(low)}–{percent(high)})"
    )
