"""The win-back list as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.lapsed.win_back import PastWarning, ReasonSource, WinBackCustomer, WinBackList
from lapwing.backtest.text import console, literal, table
from lapwing.backtest.words import day, number
from lapwing.terminal.text import counted

SHOWN = 2
"""Reasons and rules that are named."""
_SOURCES = {
    ReasonSource.TEAM: "the team",
    ReasonSource.CUSTOMER: "the customer",
    ReasonSource.WARNING: "the warning",
}


def print_win_back(found: WinBackList, limit: int | None) -> None:
    """Print the customers and who was left out."""
    out = console()
    shown = found.customers[:limit]
    if shown:
        made = table(
            "Customers who are gone, those worth most first",
            *("customer", "value", "left on", "days\naway", "why (says)", "last warning", "what came of it"),
            *("since", "owner"),
        )
        for column in made.columns[4:]:
            column.justify = "left"
        for each in shown:
            made.add_row(*_cells(each))
        out.print(made)
    left_out = found.left_out
    out.print(
        f"{len(shown):,} of {len(found.customers):,} customers shown. Of all {found.gone:,} who are gone, "
        f"{left_out['do_not_contact']:,} that match must not be contacted, {left_out['held_out']:,} are held "
        "out and left out."
    )


def _cells(each: WinBackCustomer) -> list[str]:
    of = " ".join(word for word in (each.customer_class, each.segment, each.region) if word)
    why = _first(each.reasons)
    source = "" if each.reasons_from is None else f"\n[dim]({_SOURCES[each.reasons_from]})[/dim]"
    warning = each.last_warning
    return [
        literal(each.customer_id) + (f"\n[dim]{literal(of)}[/dim]" if of else ""),
        number(each.value, 2),
        day(each.left_at) + ("\nclosed" if each.closed else ""),
        number(each.days_away, 0),
        literal(why or "-") + source,
        "none" if warning is None else _warning(warning),
        "-" if warning is None else _result(warning),
        _attempts(each),
        literal(each.account_owner or "-"),
    ]


def _first(words: Sequence[str]) -> str:
    """Return the first words of several, and how many more there are."""
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def _warning(warning: PastWarning) -> str:
    rules = literal(_first(warning.rules))
    return f"{day(warning.opened_at)} {warning.tier or ''}\n[dim]{rules}[/dim]"


def _result(warning: PastWarning) -> str:
    acted = counted(warning.actions, "contact") if warning.actions else "no contacts"
    if warning.last_result:
        acted += f" ({literal(warning.last_result)})"
    became = "not yet known" if warning.churned is None else "left" if warning.churned else "stayed then"
    return f"{acted}\n[dim]{became}[/dim]"


def _attempts(each: WinBackCustomer) -> str:
    result = f" ({literal(each.last_attempt_result)})" if each.last_attempt_result else ""
    return f"{each.attempts} tried{result}" if each.attempts else "nothing tried"
