"""Operations: what `lapwing doctor` finds, quiet sources, refusals, what is not stored yet, the model."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from consumers import charts
from consumers.desk.desk import Desk
from consumers.desk.people.person import Role
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import count, percent, render, wall_times
from consumers.desk.reports.calibration import Calibration
from consumers.language import _, gettext

router = APIRouter()

CHECKS: Final = {
    "secret files": _("Files with secrets"),
    "rules": _("Rule files"),
    "broker": _("Broker"),
    "topics": _("Topics"),
    "rules in force": _("Rules in force"),
    "rule files refused": _("Rule files that workers refuse"),
    "records refused": _("Refused records"),
    "checkpoints": _("Checkpoints"),
    "model": _("Model"),
    "lag": _("Lag of the workers"),
    "inputs": _("Topics that are mapped"),
    "schema registry": _("Schema registry"),
    "importer": _("Import of topics"),
    "database": _("Database"),
    "erasures": _("Key of erasures"),
    "channels": _("Channels"),
    "silences": _("Silences"),
    "webhooks": _("Webhooks that are taken"),
    "copies of topics": _("Copies of topics"),
    "rights on topics": _("Rights on topics"),
    "retention": _("How long records are kept"),
    "sink": _("Storing of records"),
    "time zone": _("Time zone of the census"),
    "notices to send": _("Notices to send"),
    "versions": _("Versions"),
    "file rights": _("Rights on files"),
    "disk space": _("Disk space"),
    "clocks": _("Clocks"),
    "certificates": _("Certificates"),
}
OUTCOMES: Final = {
    "ok": (_("fine"), "good"),
    "warning": (_("look at it"), "warm"),
    "failed": (_("broken"), "bad"),
    "skipped": (_("not checked"), "plain"),
}
PROCESSES: Final = {
    "worker": _("Worker"),
    "learner": _("Learner"),
    "sink": _("Sink"),
    "notifier": _("Notifier"),
    "desk": _("Desk"),
    "importer": _("Importer"),
    "intake": _("Intake of webhooks"),
}
SERIOUS: Final = ("failed", "warning", "ok", "skipped")
"""In the order in which they are shown."""
REASONS: Final = {
    "no_value": _("without a value"),
    "not_json": _("not JSON"),
    "not_object": _("not a JSON object"),
    "unreadable": _("not what its format says"),
    "schema_unknown": _("a schema that the registry does not have"),
    "unknown_type": _("an unknown type of event"),
    "missing_field": _("a field is missing"),
    "wrong_type": _("a field of a wrong type"),
    "wrong_value": _("a value that is not allowed"),
    "out_of_range": _("a value out of range"),
    "key_mismatch": _("the key is not the customer"),
    "future_time": _("a time in the future"),
    "not_row": _("a line that is no row of its table"),
    "past_time": _("a time years before all others"),
    "other_currency": _("an order in another currency"),
    "sum_too_large": _("amounts that add up to too much"),
    "unmapped": _("a word that the mapping does not name"),
    "id_reused": _("an id that was used before"),
}


@router.get("/operations")
def show(request: Request, person: Viewer) -> Response:
    """Show how the system around the desk is."""
    desk: Desk = request.app.state.desk
    around, calibration = desk.reports.installation(), desk.reports.calibration()
    findings = around.value.findings if around.value is not None else ()
    in_force = [each for each in around.value.models if each.in_force] if around.value is not None else []
    return render(
        request,
        "operations.html",
        around=around,
        findings=sorted(findings, key=lambda each: SERIOUS.index(each.outcome)),
        checks=CHECKS,
        outcomes=OUTCOMES,
        reasons=REASONS,
        processes=PROCESSES,
        model=in_force[0] if in_force else None,
        operator=person.may(Role.OPERATOR),
        calibration=calibration,
        chart=chart(calibration.value) if calibration.value is not None else None,
        event_times=wall_times(request, person),
    )


def chart(found: Calibration) -> Markup | None:
    """Return how many left over what was given, as a plot; `None` where nobody was scored."""
    if not found.scored:
        return None
    points = []
    for band in found.bands:
        low, high = band.churned.limits
        numbers = f"{count(band.churned.part)}/{count(band.churned.whole)}"
        title = f"{percent(band.mean_probability)}: {percent(band.churned.value)} ({numbers})"
        points.append((band.mean_probability, charts.Dot(band.churned.value, low, high, title)))
    label = gettext("Share that left, by the probability that was given")
    drawn = charts.agreement(points, label, gettext("probability given"), gettext("share that left"))
    return Markup(drawn)
