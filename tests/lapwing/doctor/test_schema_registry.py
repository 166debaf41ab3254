"""What the doctor finds about the schema registry."""

from __future__ import annotations

from pathlib import Path

from lapwing.doctor.check import made
from lapwing.doctor.installation import Installation
from lapwing.doctor.schema_registry import schema_registry
from lapwing.settings.settings import load_settings
from tests.registry_endpoint import Answer, RegistryEndpoint

SOURCE = """\
  {source}:
    topic: {name}
    format: {form}
    events: [{{to: logins, fields: {{event_id: id, customer_id: who, occurred_at: at}}}}]
"""


def found(folder: Path, answer: Answer | None, url: str | None = None) -> tuple[str, str]:
    (folder / "inputs.yaml").write_text(
        "version: 1\nsources:\n"
        + SOURCE.format(source="app", name="app.logins", form="avro")
        + SOURCE.format(source="plain", name="plain", form="json")
    )
    (folder / "follow.yaml").write_text(
        "version: 1\nsources:\n" + SOURCE.format(source="crm", name="crm", form="json_schema")
    )
    environ = {
        "LAPWING_INPUTS": str(folder / "inputs.yaml"),
        "LAPWING_IMPORT_INPUTS": str(folder / "follow.yaml"),
        "LAPWING_SCHEMA_CACHE": str(folder / "schemas"),
    }
    with RegistryEndpoint({} if answer is None else {"/subjects": answer}) as endpoint:
        if answer is not None or url is not None:
            environ["LAPWING_SCHEMA_REGISTRY_URL"] = url or endpoint.url
        installation = Installation(load_settings(environ=environ))
        result = made("schema registry", lambda: schema_registry(installation))
    return result.outcome.value, result.detail


def test_without_one_nothing_is_checked(tmp_path: Path) -> None:
    assert found(tmp_path, None) == ("skipped", "none is set")


def test_one_that_has_schemas_of_all_topics_is_well(tmp_path: Path) -> None:
    outcome, text = found(tmp_path, (200, b'["app.logins-value", "crm-com.shop.Person", "x"]'))
    assert (outcome, text.partition(" answers")[2]) == (
        "ok",
        " and has 3 subjects, some of each of app.logins, crm",
    )


def test_a_topic_of_which_it_has_none_is_named(tmp_path: Path) -> None:
    outcome, text = found(tmp_path, (200, b'["app.logins-value"]'))
    assert (outcome, "none of crm:" in text, "plain" in text) == ("warning", True, False)


def test_one_that_is_away_or_lets_nobody_in_fails(tmp_path: Path) -> None:
    outcome, text = found(tmp_path, (401, b""))
    assert (outcome, "lets nobody in" in text) == ("failed", True)
    outcome, text = found(tmp_path, None, "http://127.0.0.1:9")
    assert (outcome, "does not answer" in text) == ("failed", True)
