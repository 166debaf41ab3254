"""Grafana's dashboard of Lapwing, as code.

python -m scripts.dashboard    (`make dashboard`: writes deploy/grafana/lapwing.json)
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

ROOT: Final = Path(__file__).parent.parent
PLACE: Final = ROOT / "deploy" / "grafana" / "lapwing.json"
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${source}")
WIDTH: Final = 24
"""Columns of Grafana's grid."""
RATE: Final = "$__rate_interval"
P95: Final = "histogram_quantile(0.95, sum by (le) (rate({}_bucket[$__rate_interval])))"

RESTARTS: Final = 'changes(process_start_time_seconds{job=~"lapwing-.+"}[1m]) > 0'

Query = tuple[str, str]
"""An expression and the legend of its series."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, with the values from which on it is bad."""

    title: str
    about: str
    query: str
    unit: str = "short"
    bad_from: float | None = None
    bad_below: float | None = None
    none: str = "0"
    """What stands there while the expression gives nothing."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Series over time."""

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"
    stacked: bool = False
    line: float | None = None
    """Where the alert is, drawn as a line."""


@dataclass(frozen=True, slots=True)
class Section:
    """A row of the dashboard."""

    title: str
    panels: tuple[Figure | Graph, ...] = field(default=())


def _rate(name: str, *by: str, where: str = "") -> str:
    return f"sum by ({', '.join(by)}) (rate({name}{where}[{RATE}]))"


def _quantiles(name: str) -> tuple[Query, ...]:
    return tuple(
        (f"histogram_quantile({share}, sum by (le) (rate({name}_bucket[{RATE}])))", legend)
        for share, legend in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    )


SECTIONS: Final = (
    Section(
        "At a glance",
        (
            Figure(
                "Alerts",
                "Alerts of deploy/prometheus/alerts.yaml that fire now; each has a page in docs/runbooks/.",
                'count(ALERTS{alertname=~"Lapwing.+", alertstate="firing"})',
                bad_from=1,
            ),
            Figure(
                "Not running",
                "Processes that Prometheus cannot reach.",
                'count(up{job=~"lapwing-.+"} == 0)',
                bad_from=1,
            ),
            Figure(
                "Not ready",
                "Processes that run and cannot do their work; /readyz says why.",
                "count(lapwing_ready == 0)",
                bad_from=1,
            ),
            Figure("Workers", "Workers that run.", 'count(up{job="lapwing-worker"} == 1)', bad_below=1),
            Figure("Customers", "Known to all workers together.", "sum(lapwing_customers)"),
            Figure("Open warnings", "Of all tiers.", "sum(lapwing_warnings_open)"),
            Figure(
                "Event to warning",
                "95 % of the warnings are with the broker within this time of their event's record.",
                P95.format("lapwing_produce_to_warning_seconds").replace(RATE, "1h"),
                unit="s",
                bad_from=10,
                none="no warnings",
            ),
            Figure(
                "Furthest behind",
                "The delay of event time in the partition that is most behind.",
                "max(lapwing_event_time_delay_seconds)",
                unit="s",
                bad_from=600,
                none="no events",
            ),
        ),
    ),
    Section(
        "What comes in",
        (
            Graph(
                "Events",
                "Events a second that workers take, by topic.",
                ((_rate("lapwing_events_total", "topic", where='{job="lapwing-worker"}'), "{{topic}}"),),
                unit="cps",
                stacked=True,
            ),
            Graph(
                "Refused records",
                "Records a minute that are not what the contract says; they are on the topic of refusals.",
                (
                    (
                        f"60 * {_rate('lapwing_events_refused_total', 'topic', 'reason')} > 0",
                        "{{topic}}: {{reason}}",
                    ),
                ),
                stacked=True,
            ),
            Graph(
                "Late and repeated",
                "Late events count, but the past is not judged again; repeats are dropped.",
                (
                    (_rate("lapwing_events_late_total", "topic"), "late: {{topic}}"),
                    (_rate("lapwing_events_repeated_total", "topic"), "repeated: {{topic}}"),
                    (f"sum(rate(lapwing_events_erased_total[{RATE}]))", "of erased customers"),
                ),
                unit="cps",
            ),
            Graph(
                "Quiet sources and open transactions",
                "Partitions in which a source is quiet, or a producer's open transaction blocks a topic.",
                (
                    ("sum by (source) (lapwing_source_quiet)", "quiet: {{source}}"),
                    ("sum by (topic) (lapwing_open_transactions)", "open transaction: {{topic}}"),
                ),
            ),
        ),
    ),
    Section(
        "Workers",
        (
            Graph(
                "Lag",
                "Records that the broker has and workers have not, by topic.",
                (('sum by (topic) (lapwing_lag_records{job="lapwing-worker"})', "{{topic}}"),),
                stacked=True,
            ),
            Graph(
                "Event-time delay",
                "How far event time is behind the clock, by partition.",
                (("max by (partition) (lapwing_event_time_delay_seconds)", "partition {{partition}}"),),
                unit="s",
                line=600,
            ),
            Graph(
                "From the event's record to its warning",
                "Until the broker acknowledged the warning.",
                _quantiles("lapwing_produce_to_warning_seconds"),
                unit="s",
                line=10,
            ),
            Graph(
                "Partitions that do not move",
                "They have lag and have not moved for 30 seconds.",
                (("max by (partition) (lapwing_stalled)", "partition {{partition}}"),),
            ),
            Graph(
                "Sweeps",
                "How long it takes to judge every customer of a partition, and how often that is.",
                (
                    (
                        f"sum by (instance) (rate(lapwing_sweep_seconds_sum[{RATE}]))"
                        f" / sum by (instance) (rate(lapwing_sweep_seconds_count[{RATE}]))",
                        "{{instance}}",
                    ),
                    (f"sum(increase(lapwing_sweeps_total[{RATE}]))", "sweeps"),
                ),
                unit="s",
                line=15,
            ),
            Graph(
                "Waiting to be sent",
                "Since when the oldest record waits for the broker's acknowledgement.",
                (
                    (
                        'time() - lapwing_outbox_oldest_timestamp_seconds{job="lapwing-worker"}',
                        "{{instance}}",
                    ),
                ),
                unit="s",
                line=60,
            ),
            Graph(
                "Age of checkpoints",
                "Since the state of a partition was last saved.",
                (
                    (
                        "time() - max by (partition) (lapwing_checkpoint_timestamp_seconds)",
                        "partition {{partition}}",
                    ),
                ),
                unit="s",
                line=600,
            ),
            Graph(
                "Writing checkpoints",
                "How long a checkpoint takes, beside the work, and how many failed.",
                (
                    (P95.format("lapwing_checkpoint_seconds"), "95 %"),
                    (f"sum(increase(lapwing_checkpoint_failures_total[{RATE}]))", "failed"),
                ),
                unit="s",
            ),
            Graph(
                "Size of checkpoints",
                "The newest of each partition.",
                (("max by (partition) (lapwing_checkpoint_size_bytes)", "partition {{partition}}"),),
                unit="bytes",
                stacked=True,
            ),
        ),
    ),
    Section(
        "Rules and warnings",
        (
            Graph(
                "Openings by rule",
                "Customers for whom a rule opened in the last hour; shadow rules only count.",
                (
                    (
                        "sum by (rule, tier, status) (increase(lapwing_rule_openings_total[1h]))",
                        "{{rule}} ({{tier}}, {{status}})",
                    ),
                ),
                stacked=True,
            ),
            Graph(
                "Open warnings",
                "By tier, over all workers.",
                (("sum by (tier) (lapwing_warnings_open)", "{{tier}}"),),
                stacked=True,
            ),
            Graph(
                "Rule sets",
                "Partitions by the rule set that they run, and whether a worker refuses its files.",
                (
                    ("count by (rule_set) (lapwing_rule_set_info)", "{{rule_set}}"),
                    ("sum(lapwing_rule_files_refused)", "workers that refuse their files"),
                ),
            ),
        ),
    ),
    Section(
        "The model",
        (
            Graph(
                "Ready",
                "Partitions whose model has learned enough to score.",
                (("sum(lapwing_model_ready)", "ready"), ("count(lapwing_model_ready)", "all")),
            ),
            Graph(
                "Quality",
                "Of probabilities that were given before the outcome was known: the log loss should be below"
                " that of the base rate.",
                (
                    (
                        "avg by (job, measure)"
                        ' (lapwing_model_quality{measure=~"log_loss|base_log_loss|auc"})',
                        "{{job}}: {{measure}}",
                    ),
                ),
            ),
            Graph(
                "Versions",
                "Partitions by the model that scores.",
                (("count by (version) (lapwing_model_info)", "{{version}}"),),
                stacked=True,
            ),
            Graph(
                "Shared learner",
                "Age of the newest model, and samples that wait to be learned.",
                (
                    ("time() - max(lapwing_model_published_timestamp_seconds)", "age of the model"),
                    ('sum(lapwing_lag_records{job="lapwing-learner"})', "samples that wait"),
                ),
            ),
        ),
    ),
    Section(
        "Sink and database",
        (
            Graph(
                "Stored records",
                "What became of records a second, by kind.",
                ((_rate("lapwing_sink_records_total", "kind", "result"), "{{kind}}: {{result}}"),),
                unit="cps",
                stacked=True,
            ),
            Graph(
                "Lag of the sink",
                "Records that are not stored yet, by topic.",
                (('sum by (topic) (lapwing_lag_records{job="lapwing-sink"})', "{{topic}}"),),
                stacked=True,
            ),
            Graph(
                "Database",
                "95 % of the statements take no longer, by process and kind.",
                (
                    (
                        "histogram_quantile(0.95, sum by (job, operation, le)"
                        f" (rate(lapwing_database_seconds_bucket[{RATE}])))",
                        "{{job}}: {{operation}}",
                    ),
                ),
                unit="s",
                line=1,
            ),
        ),
    ),
    Section(
        "Notices",
        (
            Graph(
                "Deliveries",
                "Messages in the last hour, by channel and what became of them.",
                (
                    (
                        "sum by (channel, result) (increase(lapwing_deliveries_total[1h]))",
                        "{{channel}}: {{result}}",
                    ),
                ),
                stacked=True,
            ),
            Graph(
                "Waiting",
                "Messages that wait, and since when the oldest is due.",
                (
                    ('sum(lapwing_outbox_waiting{job="lapwing-notifier"})', "messages"),
                    (
                        'time() - min(lapwing_outbox_oldest_timestamp_seconds{job="lapwing-notifier"})',
                        "seconds overdue",
                    ),
                ),
                line=900,
            ),
            Graph(
                "Not entered yet",
                "Stored steps that the notifier has yet to decide on or to enter in the outbox.",
                (('max(lapwing_lag_steps{job="lapwing-notifier"})', "steps"),),
            ),
            Graph(
                "Channels that are off",
                "1 while nothing is sent to a channel whose receiver wants no more.",
                (("max by (channel) (lapwing_channel_disabled)", "{{channel}}"),),
            ),
        ),
    ),
    Section(
        "Webhooks",
        (
            Graph(
                "Deliveries",
                "Webhooks a second, by what they came to.",
                ((_rate("lapwing_hooks_total", "source", "result"), "{{source}}: {{result}}"),),
                unit="reqps",
                stacked=True,
            ),
            Graph(
                "Answers to webhooks",
                "95 % of the answers take no longer, by source; Shopify waits for five seconds.",
                (
                    (
                        "histogram_quantile(0.95, sum by (source, le)"
                        f" (rate(lapwing_hook_seconds_bucket[{RATE}])))",
                        "{{source}}",
                    ),
                ),
                unit="s",
                line=5,
            ),
            Graph(
                "Webhooks that are no events",
                "What could not be mapped or the contract refuses, in the last hour.",
                (
                    (
                        "sum by (source, reason) (increase(lapwing_hook_refusals_total[1h]))",
                        "{{source}}: {{reason}}",
                    ),
                ),
                stacked=True,
            ),
        ),
    ),
    Section(
        "Topics of others",
        (
            Graph(
                "Records imported",
                "Records a second that the importer reads, by topic.",
                ((_rate("lapwing_import_records_total", "topic"), "{{topic}}"),),
                stacked=True,
            ),
            Graph(
                "Records to import",
                "What waits in the topics that the importer follows.",
                (('sum by (topic) (lapwing_lag_records{job="lapwing-importer"})', "{{topic}}"),),
            ),
            Graph(
                "Records that are no events",
                "What could not be mapped or the contract refuses, in the last hour.",
                (
                    (
                        "sum by (topic, reason) (increase(lapwing_import_refused_total[1h]))",
                        "{{topic}}: {{reason}}",
                    ),
                ),
                stacked=True,
            ),
        ),
    ),
    Section(
        "The desk",
        (
            Graph(
                "Requests",
                "Requests a second, by the status of the answer.",
                ((_rate("lapwing_requests_total", "status"), "{{status}}"),),
                unit="reqps",
                stacked=True,
            ),
            Graph(
                "Answers",
                "95 % of the answers take no longer, by route.",
                (
                    (
                        "histogram_quantile(0.95, sum by (route, le)"
                        f" (rate(lapwing_request_seconds_bucket[{RATE}])))",
                        "{{route}}",
                    ),
                ),
                unit="s",
                line=2,
            ),
            Graph(
                "People",
                "Pages that are open and follow the queue, and sign-ins that were refused in the last hour.",
                (
                    ("sum(lapwing_live_streams)", "open pages"),
                    (
                        "sum by (reason) (increase(lapwing_signins_refused_total[1h]))",
                        "refused: {{reason}}",
                    ),
                ),
            ),
        ),
    ),
    Section(
        "Processes",
        (
            Graph(
                "Processor",
                "Processors that each process uses.",
                (
                    (
                        f'rate(process_cpu_seconds_total{{job=~"lapwing-.+"}}[{RATE}])',
                        "{{job}} {{instance}}",
                    ),
                ),
            ),
            Graph(
                "Memory",
                "Resident memory.",
                (('process_resident_memory_bytes{job=~"lapwing-.+"}', "{{job}} {{instance}}"),),
                unit="bytes",
            ),
            Graph(
                "Versions",
                "Processes by the version that they run.",
                (("count by (process, version) (lapwing_build_info)", "{{process}} {{version}}"),),
                stacked=True,
            ),
            Graph(
                "Age of processes",
                "Since they were started.",
                (('time() - process_start_time_seconds{job=~"lapwing-.+"}', "{{job}} {{instance}}"),),
                unit="s",
            ),
        ),
    ),
)


def built(sections: tuple[Section, ...] = SECTIONS) -> str:
    """Return the dashboard as Grafana reads it."""
    board = (
        dashboard.Dashboard("Lapwing")
        .uid("lapwing")
        .description("Streaming early warning of customer churn: whether it works, and what to look at.")
        .tags(["lapwing"])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .annotation(
            dashboard.AnnotationQuery()
            .name("Restarts")
            .datasource(SOURCE)
            .expr(RESTARTS)
            .enable(True)
            .icon_color("orange")
        )
    )
    number = 0
    for section in sections:
        number += 1
        board.with_row(dashboard.Row(section.title).id(number))
        beside, height = _layout(section)
        for panel in section.panels:
            number += 1
            made = _figure(panel) if isinstance(panel, Figure) else _graph(panel)
            board.with_panel(made.id(number).span(WIDTH // beside).height(height))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _layout(section: Section) -> tuple[int, int]:
    """Return how many panels lie beside each other, and how high they are."""
    if isinstance(section.panels[0], Figure):
        return 8, 4
    return (4 if len(section.panels) == 4 else 3), 8


def _figure(figure: Figure) -> stat.Panel:
    steps = [Threshold(None, "green")]
    if figure.bad_from is not None:
        steps.append(Threshold(figure.bad_from, "red"))
    if figure.bad_below is not None:
        steps = [Threshold(None, "red"), Threshold(figure.bad_below, "green")]
    return (
        stat.Panel()
        .title(figure.title)
        .description(figure.about)
        .datasource(SOURCE)
        .unit(figure.unit)
        .no_value(figure.none)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(_query(figure.query, figure.title, "A"))
    )


def _graph(graph: Graph) -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .title(graph.title)
        .description(graph.about)
        .datasource(SOURCE)
        .unit(graph.unit)
        .min(0)
        .fill_opacity(30 if graph.stacked else 0)
        .line_width(1 if graph.stacked else 2)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if graph.stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if graph.line is not None:
        steps = [Threshold(None, "transparent"), Threshold(graph.line, "red")]
        panel.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    for letter, (expression, legend) in zip("ABCDEF", graph.queries, strict=False):
        panel.with_target(_query(expression, legend, letter))
    return panel


def _query(expression: str, legend: str, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(letter).range()


def main() -> int:
    """Write the dashboard."""
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(built(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
