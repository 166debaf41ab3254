"""Logs what models of partitions lack before they score, and when they are ready."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from streams.core.engine import Engine

log = logging.getLogger(__name__)


class ModelWatch:
    """Compares the partitions' models from look to look."""

    def __init__(self) -> None:
        self._ready: dict[int, bool] = {}

    def look(self, engines: Mapping[int, Engine]) -> None:
        """Log which models are ready and which are not, where that is news."""
        before, self._ready = self._ready, {}
        for number, engine in engines.items():
            if engine.scorer.model is None or engine.place[0] is None:
                continue  # before its first event there is nothing to report
            ready = self._ready[number] = engine.scorer.model.ready
            if before.get(number) == ready:
                continue
            if ready:
                log.info(
                    "model ready partition=%(partition)d version=%(model)s",
                    {"partition": number, "model": engine.scorer.model.version},
                )
            else:
                log.info(
                    "model partition=%(partition)d %(state)s", {"partition": number, "state": _text(engine)}
                )


def missing(engines: Mapping[int, Engine]) -> dict[str, str]:
    """Return, by partition whose model is not ready, what is missing and how long that takes."""
    return {
        str(number): _text(engine)
        for number, engine in engines.items()
        if engine.scorer.model is not None and not engine.scorer.model.ready
    }


def _text(engine: Engine) -> str:
    warm_up = engine.warm_up()
    return "not ready: the shared learner has none that is" if warm_up is None else warm_up.text()
