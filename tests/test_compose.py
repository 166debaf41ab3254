"""The compose file's services run commands that exist, listen on this machine only and hold no secret."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from lapwing.settings.settings import PREFIX, load_settings
from streams.duration import UNITS, parse_duration
from streams.worker.run import FINISH_S, SAVE_S
from tests.command_lines import parse
from tests.paths import ROOT

SERVICES: dict[str, dict[str, Any]] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "lapwing")


def test_the_services_are_those_of_an_installation() -> None:
    assert sorted(SERVICES) == ["desk", "kafka", "notifier", "postgres", "sink", "topics", "worker"]
    assert OURS == ["desk", "notifier", "sink", "topics", "worker"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    parse(list(SERVICES[name]["command"]))


@pytest.mark.parametrize("name", OURS)
def test_a_services_settings_are_settings(name: str) -> None:
    given = {key: _filled(str(value)) for key, value in SERVICES[name]["environment"].items()}
    assert given[f"{PREFIX}BROKER"] == "kafka:19092"
    settings = load_settings(environ=given)
    assert all(settings.source(key.removeprefix(PREFIX).lower()) == key for key in given if given[key])


def _filled(value: str) -> str:
    """Return a value as compose would fill it in, each variable with its default or a word."""
    variable = r"\$\{\w+(?::-([^}]*))?(?::\?[^}]*)?\}"
    return re.sub(variable, lambda found: "word" if found[1] is None else found[1], value)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_no_password_is_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for value in re.findall(r"(?i)password\w*[:=] *(\S+)", text):
        assert value.startswith("${") or value == "..."
    assert "postgresql+psycopg://lapwing:${POSTGRES_PASSWORD}@" in text


def test_kafka_is_of_the_version_that_the_tests_run_on() -> None:
    pom = (ROOT / "scripts" / "kafka" / "pom.xml").read_text()
    version = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert version is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_every_service_waits_for_what_it_needs() -> None:
    assert SERVICES["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    for name in ("worker", "sink", "notifier", "desk"):
        assert SERVICES[name]["depends_on"]["topics"]["condition"] == "service_completed_successfully"
    for name in ("sink", "notifier", "desk"):
        assert SERVICES[name]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert all("healthcheck" in SERVICES[name] for name in ("kafka", "postgres"))


def test_a_worker_has_the_time_to_save_its_states() -> None:
    granted = parse_duration(SERVICES["worker"]["stop_grace_period"]) / UNITS["s"]
    assert granted >= SAVE_S + FINISH_S


def test_the_image_runs_as_nobody_in_particular_and_has_all_that_it_copies() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER lapwing" in lines
    copies = [line.split() for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = [name for _, *names, _ in copies for name in names]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed
