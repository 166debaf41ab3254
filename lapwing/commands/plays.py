"""`lapwing plays check`: every mistake in plays, and what each play needs to be worth it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from lapwing.settings.settings import Settings
from lapwing.terminal.text import counted, printable
from streams.core.decision.decision import Decision, basis_of
from streams.core.decision.plays import Play, Plays
from streams.rulebook.findings import Finding, Severity
from streams.rulebook.lint import Surroundings, lint
from streams.rulebook.load import load_rulebook
from streams.rulebook.reader import RulebookRefused

CODES: Final = ("L161", "L162", "L163", "L164")
"""What lint finds about plays and reasons."""


def run(paths: tuple[Path, ...], settings: Settings, strict: bool, as_json: bool) -> None:
    """Check plays against their rules and reasons, and report every mistake at once."""
    try:
        rulebook = load_rulebook(paths or (settings.rules,))
    except RulebookRefused as refused:
        if as_json:
            found = [each.as_dict() for each in refused.mistakes]
            click.echo(json.dumps({"ok": False, "mistakes": found}, indent=2))
        else:
            for mistake in refused.mistakes:
                click.echo(str(mistake))
        raise SystemExit(1) from None
    findings = [each for each in lint(rulebook, Surroundings()) if each.code in CODES]
    failed = any(strict or each.severity is Severity.ERROR for each in findings)
    plays = [_play(each.play, settings.labour_rate) for each in rulebook.plays]
    if as_json:
        made = {"ok": not failed, "hash": rulebook.rules.plays.hash, "plays": plays}
        click.echo(json.dumps(made | {"findings": [each.as_dict() for each in findings]}, indent=2))
    else:
        _print(plays, findings, rulebook.rules.plays.hash)
    if failed:
        raise SystemExit(1)


def _play(play: Play, labour_rate: float | None) -> dict[str, Any]:
    """Return a play with its cost for one customer, the discount left out, and what makes it worth it."""
    basis = basis_of(
        Plays([play]), labour_rate, named=play.id, reason="", customer_class=None, do_not_contact=False
    )
    cost = Decision(basis, None, None, None).arithmetic().cost
    known = [amount for item, amount in cost.items() if item != "discount" and amount is not None]
    complete = all(amount is not None for item, amount in cost.items() if item != "discount")
    total, chance = sum(known), play.success.chance
    least = total / chance if complete and chance > 0 else None
    return play.plain() | {"amounts": cost, "worth_from_value_at_risk": least}


def _print(plays: Sequence[dict[str, Any]], findings: Sequence[Finding], plays_hash: str) -> None:
    for finding in findings:
        click.echo(str(finding))
    for play in plays:
        items = ", ".join(_item(play, name, amount) for name, amount in play["amounts"].items())
        success = play["success"]
        size = f", n {success['n']}" if "n" in success else ""
        least = play["worth_from_value_at_risk"]
        worth = "" if least is None else f"; worth it from a value at risk of {least:,.2f} on"
        worth += " and the discount" if worth and "discount" in play["amounts"] else ""
        line = f"{play['id']}: costs {items or 'nothing'}; success {success['chance']:g}"
        click.echo(printable(f"{line} ({success['source']}{size}){worth}"))
    if not plays:
        click.echo("there is no plays.yaml beside the rules: every decision is `unknown`")
        return
    click.echo(f"{counted(len(plays), 'play')}; set {plays_hash}")


def _item(play: dict[str, Any], name: str, amount: float | None) -> str:
    if name == "discount":
        return f"discount {play['cost']['discount']:.0%} of an order day"
    if amount is None:
        minutes = play["cost"]["labour_minutes"]
        return f"labour of {minutes:g} minutes (set `labour_rate`)"
    return f"{name} {amount:,.2f}"
