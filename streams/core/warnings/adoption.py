"""A new rule set taking over the causes and warnings of another."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from streams.core.events.calendar import ALWAYS
from streams.core.rules.inhibition import standing
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import StepKind
from streams.core.warnings.causes import CausePhase
from streams.core.warnings.episodes import Episodes, OpenWarning, WarningChange


def adopt(episodes: Episodes, now: int) -> Iterator[WarningChange]:
    """Withdraw the causes of rules that no longer warn, and yield the steps that makes at `now`.

    To be called once after the state of another rule set was restored or taken over; a change's row is its
    customer. A cause that a rule opened in shadow, and so showed nobody, begins anew if it warns now.
    """
    for rule, customer, state in list(episodes.causes):
        warning = episodes.open.get(customer)
        shown = warning is not None and rule in warning.causes
        if rule not in episodes.shadow and state.phase >= CausePhase.OPEN and not shown:
            episodes.causes.drop(rule, customer)
    for customer, warning in sorted(episodes.open.items()):
        silenced = sorted(episodes.shadow & warning.causes.keys())
        gone = (*(warning.causes.pop(rule) for rule in silenced), *warning.orphans)
        _let_expire(episodes, customer, warning, now)
        if not gone:
            continue
        warning.orphans = ()
        warning.number += 1
        kind, causes = StepKind.UPDATED, standing(warning.causes, episodes.rules.inhibitors)
        if causes:
            warning.tier = max(cause.tier for cause in causes)
        else:
            kind, causes = StepKind.WITHDRAWN, tuple(sorted(gone, key=lambda cause: cause.rule))
            del episodes.open[customer]
        yield WarningChange(
            customer,
            now,
            customer,
            kind,
            warning,
            warning.number,
            warning.tier,
            causes,
            warning.acknowledgement,
        )


def withdrawn(episodes: Episodes, customers: Collection[int], now: int) -> Iterator[WarningChange]:
    """Withdraw the open warnings of customers at `now`, and yield the steps that makes.

    Nobody is scored for it: what was known at the last evaluation stands.
    """
    for customer in sorted(customers):
        warning = episodes.open.pop(customer, None)
        if warning is None:
            continue
        gone = (*warning.causes.values(), *warning.orphans)
        for rule in warning.causes:
            episodes.causes.drop(rule, customer)
        warning.number += 1
        yield WarningChange(
            customer,
            now,
            customer,
            StepKind.WITHDRAWN,
            warning,
            warning.number,
            warning.tier,
            tuple(sorted(gone, key=lambda cause: cause.rule)),
            warning.acknowledgement,
            judged=False,
        )


def _let_expire(episodes: Episodes, customer: int, warning: OpenWarning, now: int) -> None:
    """Let a warning expire as the settings in force say; one that is older already, as soon as can be."""
    due = warning.opened_at + episodes.terms.expire_after if episodes.terms.expire_after else ALWAYS
    soonest = max(due, now)
    if not due <= warning.expires_at <= soonest:
        warning.expires_at = soonest
        episodes.keep_open(customer, warning)


def taken_over(former: Episodes, rules: RuleSet) -> Episodes:
    """Return the causes and warnings of `former`, which is given up, under other rules; `adopt` comes next.

    Causes of rules that are gone become orphans, as they do where a state is restored.
    """
    places = {rule.id: place for place, rule in enumerate(rules.rules)}
    moved = [places.get(rule.id) for rule in former.rules.rules]
    made = Episodes(former.app, rules, former.terms)
    for rule, customer, state in former.causes:
        if (place := moved[rule]) is not None:
            made.causes.put(place, customer, state)
    for customer, warning in former.open.items():
        causes, warning.causes = warning.causes, {}
        for rule in sorted(causes):
            if (place := moved[rule]) is not None:
                warning.causes[place] = causes[rule]
            else:
                warning.orphans = (*warning.orphans, causes[rule])
        warning.wakes_at = ALWAYS
        made.keep_open(customer, warning)
    made.resume(former.newest, former.opened_by_rule())
    made.observe(former.observer)
    return made
