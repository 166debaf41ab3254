from lapwing.metrics_page import COMMANDS, METRICS, OF_EACH, page
from streams.telemetry.endpoint import PORTS
from tests.figures import assert_names_follow_the_conventions
from tests.paths import ROOT


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == page(), "run `make metrics-docs`"


def test_it_has_every_process_and_every_metric() -> None:
    assert METRICS.keys() == PORTS.keys() == COMMANDS.keys()
    text = page()
    for metrics in (OF_EACH, *METRICS.values()):
        assert metrics
        assert_names_follow_the_conventions(metrics)
        assert [each.name for each in metrics if f"| `{each.name}` |" not in text] == []


def test_a_metric_of_several_processes_is_of_one_kind() -> None:
    kinds: dict[str, set[str]] = {}
    for metrics in (OF_EACH, *METRICS.values()):
        for each in metrics:
            kinds.setdefault(each.name, set()).add(each.kind.value)
    assert [name for name, found in kinds.items() if len(found) > 1] == []
