"""What the processes of an installation show of themselves, asked at their endpoints."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from consumers.desk.installation import Figure, ProcessState
from streams.telemetry.metric import PREFIX
from streams.telemetry.registry import BUILD, HEALTHY, READY

WITHIN_S: Final = 2.0
LARGEST: Final = 4_000_000
"""Bytes of an answer."""
MOST_FIGURES: Final = 1_000
"""Shown of one process."""

Fetch = Callable[[str], str]
"""Returns what is served at an address."""


def processes(targets: Sequence[str], fetch: Fetch | None = None) -> tuple[ProcessState, ...]:
    """Ask all endpoints, `host:port`, at once; return what each shows, or why it does not."""
    if not targets:
        return ()
    with ThreadPoolExecutor(min(len(targets), 16), thread_name_prefix="metrics") as pool:
        return tuple(pool.map(lambda place: _state(place, fetch or _fetch), targets))


def _fetch(address: str) -> str:
    # No proxy of the environment: a target is a machine of the installation.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=WITHIN_S) as answer:
        content: bytes = answer.read(LARGEST)
    return content.decode()


def _state(place: str, fetch: Fetch) -> ProcessState:
    try:
        text = fetch(f"http://{place}/metrics")
        samples = [
            (sample, family.documentation)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
    except urllib.error.URLError as error:
        reason = error.reason
        return ProcessState(place, error=str(getattr(reason, "strerror", None) or reason))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return ProcessState(place, error=str(error) or type(error).__name__)
    found = [sample.labels for sample, _ in samples if sample.name == BUILD.name]
    if not found:
        return ProcessState(place, error="this is no process of Lapwing")
    return ProcessState(
        place,
        process=found[0].get("process"),
        version=found[0].get("version"),
        healthy=_is_on(samples, HEALTHY.name),
        ready=_is_on(samples, READY.name),
        figures=tuple(_figures(samples))[:MOST_FIGURES],
    )


def _is_on(samples: Iterable[tuple[Sample, str]], name: str) -> bool:
    return any(sample.value == 1 for sample, _ in samples if sample.name == name)


def _figures(samples: Iterable[tuple[Sample, str]]) -> Iterable[Figure]:
    for sample, meaning in samples:
        if (
            sample.name.startswith(PREFIX)
            and not sample.name.endswith("_bucket")
            and sample.name != BUILD.name
        ):
            yield Figure(sample.name, dict(sample.labels), float(sample.value), meaning)
