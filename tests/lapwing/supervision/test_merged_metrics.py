from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from lapwing.supervision.merged_metrics import merged
from streams.telemetry.registry import registry_of
from streams.worker.metrics import METRICS, readings
from streams.worker.stats import Stats
from tests.streams.worker.test_metrics import FULL, NOW

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Given(Collector):
    """Metrics that are there already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def describe(self) -> Iterable[Family]:
        return ()

    def collect(self) -> Iterable[Family]:
        return self._families


def page(families: Iterable[Family]) -> str:
    registry = CollectorRegistry()
    registry.register(Given(families))
    return generate_latest(registry).decode()


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def types(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith(("# TYPE", "# HELP")))


def test_every_sample_of_every_worker_is_there_with_its_number() -> None:
    stats = Stats(**FULL)
    one = generate_latest(registry_of("worker", METRICS, lambda: readings(stats, NOW))).decode()
    both = page(merged({"0": one, "1": one}))
    assert samples(both) == {
        (name, tuple(sorted((*labels, ("worker", number))))): value
        for (name, labels), value in samples(one).items()
        for number in ("0", "1")
    }
    assert types(both) == types(one)


def test_what_only_one_worker_has_is_kept() -> None:
    first = "# HELP a_total A.\n# TYPE a_total counter\na_total 3.0\n"
    second = '# HELP b B.\n# TYPE b gauge\nb{partition="1"} 2.0\n'
    assert samples(page(merged({"0": first, "1": second}))) == {
        ("a_total", (("worker", "0"),)): 3.0,
        ("b", (("partition", "1"), ("worker", "1"))): 2.0,
    }
