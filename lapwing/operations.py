"""What runs around the desk, as the broker, the files and the database say it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

from consumers.broker.records import Record
from consumers.desk.installation import (
    Finding,
    InstallationState,
    ModelChange,
    ModelState,
    QuietSource,
    Refusals,
)
from lapwing.doctor.broker import recent_refusals
from lapwing.doctor.examine import examine
from lapwing.doctor.installation import Installation
from lapwing.endpoints import processes
from lapwing.settings.settings import Settings
from streams.contract.mistakes import read_json
from streams.contract.models import ModelLog
from streams.contract.warnings import ControlNotice
from streams.errors import ContractError, LapwingError

T = TypeVar("T")

NOTICES: Final = 2_000
"""The newest notices of each partition of the control topic that are looked through."""
QUIET: Final = "source.quiet"
BACK: Final = "source.back"
OF_MODELS: Final = "model."
OF_ONE_PARTITION: Final = "model.adopted"
"""Comes from every partition after each change, and says nothing new."""


class Operations:
    """Asks what the settings name."""

    def __init__(
        self,
        settings: Settings,
        stored: Collection[str],
        make: Callable[[Settings], Installation] = Installation,
    ) -> None:
        """Take the topics that `lapwing sink` stores."""
        self._settings = settings
        self._stored = stored
        self._make = make

    def examine(self) -> InstallationState:
        """Return what can be found out now; what cannot is left out."""
        around = self._make(self._settings)
        shown = processes(self._settings.metrics_targets)
        findings = tuple(Finding(each.check, each.outcome.value, each.detail) for each in examine(around))
        if isinstance(around.answer, LapwingError):
            return InstallationState(findings=findings, error=str(around.answer), processes=shown)
        notices = _notices(_found(lambda: around.read(self._settings.control_topic, NOTICES)) or ())
        refusals = _found(lambda: recent_refusals(around))
        return InstallationState(
            findings=findings,
            quiet=quiet_sources(notices),
            refusals=None
            if refusals is None
            else Refusals(
                {reason.value: count for reason, count in refusals.counts.most_common()},
                refusals.others,
                refusals.place() or None,
            ),
            sink_lag=_found(lambda: sink_lag(around, self._stored)),
            models=_found(lambda: models(around)) or (),
            changes=model_changes(notices),
            processes=shown,
        )


def _found(ask: Callable[[], T]) -> T | None:
    """Return an answer; `None` where there is no such topic, or it cannot be read now."""
    try:
        return ask()
    except LapwingError:
        return None


def _notices(records: Iterable[Record]) -> list[ControlNotice]:
    found: dict[str, ControlNotice] = {}
    for record in records:
        try:
            notice = read_json(ControlNotice, record.value or b"", "a notice")
        except ContractError:
            continue
        found.setdefault(notice.id, notice)
    return list(found.values())


def quiet_sources(notices: Iterable[ControlNotice]) -> tuple[QuietSource, ...]:
    """Return the topics that are quiet in a partition: nothing has come back since the notice."""
    quiet: dict[tuple[str, int | None], QuietSource] = {}
    for notice in notices:
        place = (str(notice.detail.get("topic")), notice.partition)
        if notice.kind == QUIET:
            newest = notice.detail.get("newest")
            quiet[place] = QuietSource(*place, notice.at, None if newest is None else str(newest))
        elif notice.kind == BACK:
            quiet.pop(place, None)
    return tuple(quiet[place] for place in sorted(quiet, key=lambda each: (each[0], each[1] or 0)))


def model_changes(notices: Iterable[ControlNotice]) -> tuple[ModelChange, ...]:
    """Return what happened to models, in the order of their time."""
    found = [
        ModelChange(each.at, each.kind, each.partition, each.detail)
        for each in notices
        if each.kind.startswith(OF_MODELS) and each.kind != OF_ONE_PARTITION
    ]
    return tuple(sorted(found, key=lambda each: each.at))


def models(around: Installation) -> tuple[ModelState, ...]:
    """Return the models of the shared learner, the newest first; none where each partition has its own."""
    settings = around.settings
    if not (settings.model_enabled and settings.shares_learner):
        return ()
    log = ModelLog(settings.app)
    for record in around.read(settings.models_topic):
        try:
            log.take(record.key, record.value)
        except ContractError:
            continue
    return tuple(
        ModelState(
            version=each.version,
            candidate=each.candidate,
            at=each.at,
            ready=each.ready,
            in_force=each.version == log.in_force,
            pinned=each.version == log.pinned,
            learned=each.learned,
            learned_churned=each.learned_churned,
            **{name: _number(each.metrics, name) for name in ("auc", "log_loss", "calibration_error")},
        )
        for each in log.newest()
    )


def _number(metrics: Mapping[str, Any], name: str) -> float | None:
    measured = metrics.get("prequential")
    value = measured.get(name) if isinstance(measured, dict) else None
    return float(value) if isinstance(value, int | float) else None


def sink_lag(around: Installation, topics: Collection[str]) -> dict[str, int]:
    """Return, of the topics that the sink has begun to read, how many records it has yet to store."""
    return {topic: each.records for topic, each in around.unstored.items() if topic in topics}
