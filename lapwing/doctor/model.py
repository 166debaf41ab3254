"""The model: whether it scores, and if not, what it lacks and how long that takes."""

from __future__ import annotations

import json
from typing import Any

from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.settings.values import NO_CHECKPOINTS
from streams.checkpoints.store import CheckpointStore
from streams.contract.models import ModelLog
from streams.core.model.warm_up import WarmUp
from streams.errors import ContractError


def model(installation: Installation) -> str:
    """Check that customers are scored."""
    settings = installation.settings
    if not settings.model_enabled:
        msg = "none is wanted"
        raise Skipped(msg)
    return _shared(installation) if settings.shares_learner else _own(installation)


def _shared(installation: Installation) -> str:
    """Check the model in force of the learner that all partitions share."""
    settings = installation.settings
    models, others = ModelLog(settings.app), 0
    for record in installation.read(settings.models_topic):
        try:
            models.take(record.key, record.value)
        except ContractError:
            others += 1
    found = models.model()
    if found is None:
        msg = "`lapwing learn` has published none: it learns from what became of customers, a horizon later"
        raise Doubtful(msg)
    aside = f"; {others} records of {settings.models_topic} are no models" if others else ""
    name = f"{found.version} of {found.candidate}{', pinned' if models.pinned else ''}"
    if not found.ready:
        msg = f"{name}: {found.metrics.get('warm_up', 'not ready')}{aside}"
        raise Doubtful(msg)
    treated = found.metrics.get("treated")
    left_out = _left_out(treated if isinstance(treated, int) else 0)
    return f"{name} is in force, learned from {found.learned:,} samples{left_out}{aside}"


def _own(installation: Installation) -> str:
    """Check the partitions' own models, as of their newest checkpoints."""
    settings = installation.settings
    if settings.checkpoints == NO_CHECKPOINTS:
        msg = "no checkpoints are kept; the worker's `/status` has it"
        raise Skipped(msg)
    store = CheckpointStore(settings.checkpoints, settings.app)
    lacking, count, treated = [], 0, 0
    for number in store.partitions():
        whole = store.whole(number)
        if not whole or "engine" not in whole[-1].files:
            continue
        once: dict[str, Any] = json.loads(store.table(whole[-1], "engine")["json"][0])
        if once.get("warm_up") is None:
            continue
        count += 1
        treated += once.get("samples", {}).get("treated", 0)
        warm_up = WarmUp.from_dict(once["warm_up"])
        if not warm_up.ready:
            lacking.append(f"partition {number}: {warm_up.text()}")
    if lacking:
        raise Doubtful("; ".join(lacking))
    if not count:
        msg = "no checkpoint says how far it is yet"
        raise Skipped(msg)
    return f"ready in {'its partition' if count == 1 else f'all {count} partitions'}{_left_out(treated)}"


def _left_out(treated: int) -> str:
    return f", {treated:,} samples of treated customers left out" if treated else ""
