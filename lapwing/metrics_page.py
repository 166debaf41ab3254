"""The page docs/metrics.md, made from the metrics as processes declare them.

`python -m lapwing.metrics_page` prints it (`make metrics-docs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import click

from consumers.database import metrics as database
from consumers.desk import metrics as desk
from consumers.follow import metrics as importer
from consumers.ingest import metrics as intake
from consumers.notify import metrics as notifier
from consumers.sink import metrics as sink
from streams.telemetry import registry
from streams.telemetry.endpoint import PORTS
from streams.telemetry.histogram import LATENCIES, SECONDS
from streams.telemetry.metric import Metric
from streams.trainer import metrics as learner
from streams.worker import metrics as worker

METRICS: Final[Mapping[str, Sequence[Metric]]] = {
    "worker": worker.METRICS,
    "learner": learner.METRICS,
    "sink": sink.METRICS,
    "notifier": notifier.METRICS,
    "desk": desk.METRICS,
    "importer": importer.METRICS,
    "intake": intake.METRICS,
}
"""By process, beside what every one has."""
OF_EACH: Final = tuple(value for value in vars(registry).values() if isinstance(value, Metric))

PAGE: Final = """\
# Metrics and health

<!-- Made from the metrics in the code by `make metrics-docs`. -->

Each long-running process serves, over HTTP and without sign-in, on this machine only unless `metrics_listen`
in the [settings](settings.md) says otherwise:

| path | what it answers |
|---|---|
| `/metrics` | its metrics, for Prometheus |
| `/healthz` | 200 while its loop turns; 503 with the reason where it is stuck: restart it |
| `/readyz` | 200 where it can do its work; 503 with the reasons: a restart would not help |
| `/status` | the figures behind the metrics, as JSON |

| process | command | port | stuck after |
|---|---|---|---|
{ports}

Where the port of a process is taken, as by a second worker on the machine, the process uses another one and
logs which. With `host:port` in `metrics_listen` it must be that one. No answer holds a customer's id, an
address or what somebody wrote to a customer; labels are names from your settings and rule files, and words
from closed lists.

- **Ready:** a worker has its partitions and their states, or waits for partitions as a standby, and the
  broker answers; a learner learns or waits for another one to end; a sink has its share of the topics, a
  broker and a database; a notifier has a database; a desk has a database and has read the open warnings; an
  importer has its share of the topics, a broker, and no records that wait for a schema registry; an
  intake is connected to the broker.
- **Stuck:** the loop has not turned for as long as the table says. A worker's loop waits while its engine
  passes the sweeps of a backlog. Before the work has begun, as during a migration, nothing counts as stuck.
- **As a file:** `lapwing worker --stats FILE` and `lapwing learn --stats FILE` append the figures of
  `/status` to a file once a second, for scripts that look at a run after its end.
- **Several workers of one command:** `lapwing worker --processes 4` serves the metrics of all at one address,
  each with the label `worker`, and with them `lapwing_worker_up`, 1 where a worker answers, and
  `lapwing_worker_restarts_total`. It is ready when all are, and stuck where one is, or has been down for five
  minutes. A worker that dies is started again, after a wait that doubles up to a minute. One that is
  stuck or gives no answer for about a minute is killed and started again too, and goes on from its
  checkpoints; with `metrics_listen = "none"` nobody can ask it, and only its end is noticed.

Counters begin anew with the process, and what is read again after a crash counts again. Figures are about a
second old. Histograms have the buckets {seconds} s,
`produce_to_warning` {latencies} s.

The desk shows the figures of the processes in `metrics_targets` to operators, under Operations.
[Alert rules](../deploy/prometheus/alerts.yaml), each with its [runbook](runbooks/README.md), and a dashboard
for Grafana are made for these metrics.

{sections}
"""

COMMANDS: Final = {
    "worker": "lapwing worker",
    "learner": "lapwing learn",
    "sink": "lapwing sink",
    "notifier": "lapwing notify",
    "desk": "lapwing desk",
    "importer": "lapwing import --follow",
    "intake": "lapwing ingest",
}


def page() -> str:
    """Return the whole page."""
    limits = {
        "worker": worker.STUCK_S,
        "learner": learner.STUCK_S,
        "sink": sink.STUCK_S,
        "notifier": notifier.STUCK_S,
        "desk": desk.STUCK_S,
        "importer": importer.STUCK_S,
        "intake": intake.STUCK_S,
    }
    ports = "\n".join(
        f"| {name} | `{COMMANDS[name]}` | {port} | {limits[name]:.0f} s |" for name, port in PORTS.items()
    )
    sections = [_section("Every process", OF_EACH)]
    of_database = set(database.METRICS)
    for process, metrics in METRICS.items():
        sections.append(_section(process.capitalize(), [m for m in metrics if m not in of_database]))
    sections.append(_section("Sink, notifier and desk: the database", database.METRICS))
    return PAGE.format(
        ports=ports,
        seconds=_numbers(SECONDS),
        latencies=_numbers(LATENCIES),
        sections="\n\n".join(sections),
    )


def _section(title: str, metrics: Sequence[Metric]) -> str:
    rows = [
        f"| `{each.name}` | {each.kind} | {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |"
        for each in metrics
    ]
    head = "| metric | kind | labels | meaning |\n|---|---|---|---|"
    more = "\n\nAnd `process_*`, what the operating system counts of it." if metrics is OF_EACH else ""
    return f"## {title}\n\n{head}\n" + "\n".join(rows) + more


def _numbers(bounds: Sequence[float]) -> str:
    return ", ".join(f"{bound:g}" for bound in bounds)


if __name__ == "__main__":
    click.echo(page(), nl=False)
