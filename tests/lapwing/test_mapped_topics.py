from __future__ import annotations

from pathlib import Path

import pytest

from lapwing.mapped_topics import contract_topics, followed_topics, input_watch, mapped_topics
from lapwing.settings.settings import Settings, load_settings
from lapwing.topic_plan import planned
from streams.core.events.topics import Topic
from streams.errors import RuleFilesError, SettingsError

FILE = """\
version: 1
sources:
  shop:
    topic: %s
    events:
      - to: orders
        fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, amount: sum, currency: cur}
"""


def settings_of(folder: Path, text: str | None) -> Settings:
    (folder / "rules").mkdir()
    if text is not None:
        (folder / "rules" / "inputs.yaml").write_text(text)
    return load_settings(overrides={"rules": folder / "rules"}, environ={})


def test_without_a_file_nothing_is_mapped(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, None)
    assert input_watch(settings) is None
    assert mapped_topics(settings) == {}


def test_a_source_brings_what_then_need_not_be_there_otherwise(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, FILE % "web.orders")
    watch = input_watch(settings)
    assert watch is not None
    sources = watch.current.sources
    assert mapped_topics(settings) == {"web.orders": (Topic.ORDERS,)}
    needed = {spec.name: spec for spec in planned(settings, mapped_topics(settings))}
    assert (needed["orders"].required, needed["logins"].required) == (False, True)
    assert needed["web.orders"].foreign
    assert contract_topics(settings, sources) == settings.topics


def test_a_topic_that_has_the_name_of_the_contracts_holds_what_the_source_says(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, FILE % "orders")
    watch = input_watch(settings)
    assert watch is not None
    assert Topic.ORDERS not in contract_topics(settings, watch.current.sources)
    names = [spec.name for spec in planned(settings, mapped_topics(settings))]
    assert names.count("orders") == 1


def test_what_an_importer_follows_is_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "follow.yaml"
    file.write_text(FILE % "web.sales")
    assert followed_topics(load_settings(environ={})) == {}
    settings = load_settings(environ={"LAPWING_IMPORT_INPUTS": str(file)})
    assert followed_topics(settings) == {"web.sales": (Topic.ORDERS,)}
    assert mapped_topics(settings) == {}


@pytest.mark.parametrize("name", ["churn-warnings", "lapwing.rejected", "actions"])
def test_no_source_is_read_from_a_topic_that_lapwing_writes(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is a topic that Lapwing writes to"):
        input_watch(settings_of(tmp_path, FILE % name))


def test_a_bad_file_is_refused_with_its_line(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, FILE % "no topic!")
    with pytest.raises(RuleFilesError, match=r"inputs\.yaml:4:"):
        input_watch(settings)
    with pytest.raises(RuleFilesError, match=r"inputs\.yaml:4:"):
        mapped_topics(settings)
