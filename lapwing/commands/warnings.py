"""`lapwing warnings`: list open warnings, show one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

import click

from consumers.decision import decision_words
from consumers.stored_warnings import StoredWarning, WarningFilter, find_warning, find_warnings
from consumers.tail import shortened
from lapwing.database import opened_database
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable
from streams.contract.instants import EPOCH, MICROSECOND, format_instant, to_us

COLOURS = {"high": "red", "medium": "yellow", "low": "cyan"}
SHORT = 8
"""Characters of an id that a list shows: enough to name one of some thousand warnings."""


def list_warnings(
    settings: Settings, since: int | None, state: str, holdout: bool, as_json: bool, **given: Any
) -> None:
    """List warnings, the most urgent first, then by opening."""
    wanted = WarningFilter(
        states=() if state == "all" else (state,),
        tiers=given["tier"],
        customers=given["customer"],
        since=None if since is None else EPOCH + since * MICROSECOND,
        rules=given["rule"],
        reasons=given["group"],
        classes=given["class"],
        segments=given["segment"],
        regions=given["region"],
        owners=given["owner"],
        holdout=holdout,
    )
    with closing(opened_database(settings)) as database:
        found = find_warnings(database, wanted)
    if as_json:
        click.echo(json.dumps({"warnings": [_as_json(each) for each in found]}))
        return
    for each in found:
        click.secho(printable(_line(each)), fg=COLOURS.get(each.data["tier"]))
    if not found:
        click.echo("no warnings")


def show(settings: Settings, warning_id: str, as_json: bool) -> None:
    """Show a warning with its causes, its steps, and what became of its notices."""
    with closing(opened_database(settings)) as database:
        found = find_warning(database, warning_id)
    if as_json:
        steps, notices = ([_plain(row) for row in rows] for rows in (found.steps, found.notices))
        click.echo(json.dumps({**_as_json(found.warning), "steps": steps, "notices": notices}))
        return
    for line in _page(found.warning):
        click.echo(printable(line))
    click.echo("Steps:")
    for step in found.steps:
        what = step["type"].rpartition(".")[2]
        click.echo(f"  {step['step']:>3}  {_utc(step['time'])}  {step['tier']:<6}  {what}")
    if found.notices:
        click.echo("Notices:")
    for notice in found.notices:
        click.echo(printable(_notice_line(notice)))


def _line(each: StoredWarning) -> str:
    data = each.data
    causes = shortened("; ".join(cause["title"] or cause["rule"] for cause in _visible(data)))
    line = f"{each.id[:SHORT]}  {data['tier']:<6}  {data['opened_at'][:10]}  {data['customer_id']}  {causes}"
    if data["state"] != "open":
        line += f"  ({data['state']})"
    if attention := _attention(data):
        line += f"  [{attention}]"
    line += f"  play: {data['play']}" if data.get("play") else ""
    if decision := decision_words(data.get("decision")):
        line += f"  {decision}"
    return line + ("  [held out]" if data.get("holdout") else "")


def _page(each: StoredWarning) -> list[str]:
    data = each.data
    lines = [f"Warning: {each.id}", f"Customer: {data['customer_id']}"]
    labels = {"customer_class": "Class", "segment": "Segment", "region": "Region"}
    for name, label in (labels | {"account_owner": "Account owner"}).items():
        if data.get(name):
            lines.append(f"{label}: {data[name]}")
    lines += [f"State: {data['state']}", f"Tier: {data['tier']}", f"Opened: {data['opened_at']}"]
    lines.append(f"Updated: {_utc(each.updated_at)}")
    if attention := _attention(data):
        lines.append(f"Acknowledgement: {attention}")
    if data.get("play"):
        lines.append(f"Play: {data['play']}")
    if decision := decision_words(data.get("decision"), in_full=True):
        lines.append(f"Decision: {decision}")
    if data.get("holdout"):
        lines.append("Held out: shown to nobody, to measure what plays do")
    if data.get("churn_probability") is not None:
        lines.append(f"Churn probability: {data['churn_probability']:.0%} within {data['horizon_days']} days")
    lines.append("Causes:")
    for cause in data["causes"]:
        hidden = f", hidden by {cause['inhibited_by']}" if cause.get("inhibited_by") else ""
        lines.append(f"  {cause['rule']} ({cause['tier']}, {cause['reason']}{hidden}): {cause['title']}")
        if cause["message"]:
            lines.append(f"    {cause['message']}")
        values = ", ".join(f"{name} {_number(value)}" for name, value in cause["values"].items())
        lines.append(f"    since {cause['since']}, opened {cause['opened_at']}: {values}")
    return lines


def _visible(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [cause for cause in data["causes"] if not cause.get("inhibited_by")] or list(data["causes"])


def _attention(data: Mapping[str, Any]) -> str:
    given = data.get("attention")
    if not given:
        return ""
    state = str(given["state"])
    joint = " by" if state in ("acknowledged", "snoozed", "expired") else ", after"
    text = f"{state}{joint} {given['by']}" if given["by"] else state
    end = given["until"] or given["deadline"]
    return f"{text} until {end}" if end else text


def _notice_line(notice: Mapping[str, Any]) -> str:
    verdict = {"told": "sent", "held": "deferred", "muted": "muted"}[notice["verdict"]]
    line = f"  {notice['step_id'].rpartition('/')[2]:>3}  {_utc(notice['at'])}  {verdict:<8}"
    if notice["why"]:
        line += f"  {notice['why']}" + (f" {notice['silence_id']}" if notice["silence_id"] else "")
    if notice["look_again_at"]:
        line += f", judged again at {_utc(notice['look_again_at'])}"
    return line


def _as_json(each: StoredWarning) -> dict[str, Any]:
    return {**each.data, "updated_at": _utc(each.updated_at)}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _utc(cell) if isinstance(cell, datetime) else cell for name, cell in row.items()}


def _utc(instant: datetime) -> str:
    return format_instant(to_us(instant))


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "missing" if value is None else str(value)
