"""The metrics of several workers on one endpoint, each with its worker's number as a label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from lapwing.supervision.supervisor import Supervisor
from lapwing.supervision.worker_process import WorkerProcess
from streams.telemetry.endpoint import Probes
from streams.telemetry.metric import Kind, Labels, Metric, Value

LABEL: Final = "worker"
UP: Final = Metric("lapwing_worker_up", Kind.GAUGE, "1 where a worker's process answers.", (LABEL,))
RESTARTS: Final = Metric(
    "lapwing_worker_restarts_total", Kind.COUNTER, "Times that a worker was started again.", (LABEL,)
)


class MergedMetrics(Collector):
    """Asks every worker for its metrics whenever somebody scrapes."""

    def __init__(self, workers: Sequence[WorkerProcess]) -> None:
        self._workers = workers
        self._asking = ThreadPoolExecutor(len(workers), thread_name_prefix="scrape")

    def describe(self) -> Iterable[Family]:
        """Return nothing: what there is, the workers know."""
        return ()

    def collect(self) -> Iterable[Family]:
        """Return the metrics of all workers that answer, and which do."""
        answers = list(self._asking.map(lambda worker: worker.ask("/metrics"), self._workers))
        up: dict[Labels, Value] = {}
        restarts: dict[Labels, Value] = {}
        texts: dict[str, str] = {}
        for worker, answer in zip(self._workers, answers, strict=True):
            number = str(worker.number)
            answered = answer is not None and answer[0] == 200
            up[(number,)] = float(answered)
            restarts[(number,)] = max(0, worker.starts - 1)
            if answer is not None and answered:
                texts[number] = answer[1].decode()
        return [UP.family(up), RESTARTS.family(restarts), *merged(texts)]


def merged(texts: dict[str, str]) -> list[Family]:
    """Return the metrics of these texts, by worker, as one set of metrics."""
    found: dict[str, Family] = {}
    for number, text in texts.items():
        for family in text_string_to_metric_families(text):
            kept = found.setdefault(family.name, Family(family.name, family.documentation, family.type))
            for sample in family.samples:
                kept.samples.append(sample._replace(labels={LABEL: number, **sample.labels}))
    return list(found.values())


def probes(supervisor: Supervisor) -> Probes:
    """Return what the endpoint of a supervisor shows: all its workers together."""
    registry = CollectorRegistry()
    registry.register(MergedMetrics(supervisor.workers))

    def status() -> dict[str, Any]:
        return {"workers": {str(worker.number): worker.figures() for worker in supervisor.workers}}

    return Probes(registry, supervisor.healthy, supervisor.ready, status)
