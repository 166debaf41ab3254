"""The compose file: what the specification allows, confined containers, commands and settings that exist."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from lapwing.settings.settings import load_settings
from lapwing.settings.values import PREFIX
from streams.duration import UNITS, parse_duration
from streams.worker.run import FINISH_S, SAVE_S
from tests.command_lines import parse
from tests.paths import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "lapwing")
SCHEMA = json.loads((ROOT / "tests" / "schemas" / "compose-spec.json").read_text())


def test_the_file_is_what_the_specification_allows() -> None:
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    wrongs: list[dict[str, Any]] = [{"imag": "x"}, {"cap_drop": "ALL"}, {"healthcheck": {"tests": []}}]
    for wrong in wrongs:
        assert not validator.is_valid({"services": {"worker": {"image": "x"} | wrong}})


def test_the_services_are_those_of_an_installation() -> None:
    others = ["grafana", "kafka", "postgres", "prometheus"]
    assert OURS == ["desk", "importer", "intake", "learner", "notifier", "sink", "topics", "worker"]
    assert sorted(SERVICES) == sorted([*OURS, *others])
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    parse(list(SERVICES[name]["command"]))


@pytest.mark.parametrize("name", OURS)
def test_a_services_settings_are_settings(name: str, tmp_path: Path) -> None:
    given = {key: filled(str(value)) for key, value in SERVICES[name]["environment"].items()}
    assert given[f"{PREFIX}BROKER"] == "kafka:19092"
    for key in given:
        if key.endswith("_FILE"):
            file = tmp_path / key
            file.write_text("sqlite:///long-enough.db")
            file.chmod(0o640)
            given[key] = str(file)
    settings = load_settings(environ=given)
    sources = {settings.source(key.removeprefix(PREFIX).removesuffix("_FILE").lower()) for key in given}
    assert {source.partition(":")[0] for source in sources} == set(given)


def filled(value: str) -> str:
    """Return a value as compose would fill it in, each variable with its default or a word."""
    variable = r"\$\{\w+(?::-([^}]*))?(?::\?[^}]*)?\}"
    return re.sub(variable, lambda found: "word" if found[1] is None else found[1], value)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    user, _, _ = service["user"].partition(":")
    assert int(user) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service["pids_limit"] <= 1024
    assert service["cpus"] <= 2
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert any(place.startswith("/tmp") for place in service["tmpfs"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_sees_of_this_machine_only_what_it_reads(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, place, *mode = volume.split(":")
        if source.startswith("."):
            assert mode == ["ro"], volume
            assert source.startswith("./deploy/local/") or (ROOT / source).is_dir()
        else:
            assert source in COMPOSE["volumes"], volume
        assert place.startswith("/"), volume


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_has_a_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image == "lapwing" or re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?", image)


def test_the_images_that_ours_is_made_of_have_a_version() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim", base) for base in bases)


def test_no_password_is_in_the_file() -> None:
    for line in TEXT.splitlines():
        if not line.lstrip().startswith("#"):
            for value in re.findall(r"(?i)(?:password|secret|token|key)\w*: +(\S+)", line):
                assert value.startswith(("/run/secrets/", "[", "&stored-secrets", "*stored-secrets")), line
    assert "@postgres" not in TEXT


def test_secrets_are_files_that_the_script_makes_or_the_team_writes(tmp_path: Path) -> None:
    prepare(tmp_path)
    files = {name: tmp_path / secret["file"] for name, secret in COMPOSE["secrets"].items()}
    assert {name for name, file in files.items() if not file.exists()} == {"ingest_secrets", "notify_urls"}
    for name, service in SERVICES.items():
        named = {str(value) for value in service.get("environment", {}).values()}
        assert {value for value in named if value.startswith("/run/")} == {
            f"/run/secrets/{secret}" for secret in service.get("secrets", [])
        }, name
        if service.get("secrets"):
            assert service["group_add"] == ["${LAPWING_SECRETS_GROUP:?run deploy/prepare.sh first}"]


def prepare(folder: Path) -> str:
    """Run the script of the secrets in a folder, and return what it prints."""
    (folder / "deploy").mkdir(exist_ok=True)
    script = folder / "deploy" / "prepare.sh"
    script.write_bytes((ROOT / "deploy" / "prepare.sh").read_bytes())
    done = subprocess.run(["sh", script], cwd="/", capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_what_the_script_has_made_stays_and_others_of_the_machine_cannot_read_it(tmp_path: Path) -> None:
    printed = prepare(tmp_path)
    local = tmp_path / "deploy" / "local"
    files = {path: path.read_bytes() for path in local.rglob("*") if path.is_file()}
    assert len(files) == 5
    assert all(path.stat().st_mode & 0o137 == 0 for path in files)
    assert all(path.stat().st_mode & 0o027 == 0 for path in local.rglob("*") if path.is_dir())
    token = re.search(r"shown this once: (\w{64})\n", printed)
    assert token is not None
    assert token[1].encode() not in b"".join(files.values())
    settings = (tmp_path / ".env").read_text()
    (local / "secrets" / "erasure-key").unlink()
    (tmp_path / ".env").write_text(f"LAPWING_TIME_ZONE=Asia/Tokyo\n{settings}")
    assert prepare(tmp_path) == "made deploy/local/secrets/erasure-key\n"
    assert (tmp_path / ".env").read_text() == f"LAPWING_TIME_ZONE=Asia/Tokyo\n{settings}"
    again = {path: path.read_bytes() for path in local.rglob("*") if path.is_file()}
    assert {path.name for path in files if again[path] != files[path]} == {"erasure-key"}


def test_kafka_is_of_the_version_that_the_tests_run_on() -> None:
    pom = (ROOT / "scripts" / "kafka" / "pom.xml").read_text()
    version = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert version is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_every_service_waits_for_what_it_needs() -> None:
    assert SERVICES["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    for name in ("worker", "learner", "sink", "notifier", "desk", "intake", "importer"):
        assert SERVICES[name]["depends_on"]["topics"]["condition"] == "service_completed_successfully"
    for name in ("sink", "notifier", "desk"):
        assert SERVICES[name]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name, service in SERVICES.items():
        assert "test" in service["healthcheck"] or name == "topics"


def test_each_process_is_asked_for_its_readiness_and_is_scraped() -> None:
    config = YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "prometheus.yaml")
    scraped = set()
    for job in config["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            scraped |= {f"{name}:{found['port']}" for name in found["names"]}
        for found in job.get("static_configs", []):
            scraped |= set(found["targets"])
    for name in OURS:
        if name != "topics":
            port = SERVICES[name]["environment"][f"{PREFIX}METRICS_LISTEN"].removeprefix("0.0.0.0:")
            assert f"{name}:{port}" in scraped
            assert f"http://127.0.0.1:{port}/readyz" in SERVICES[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", ["worker", "learner"])
def test_a_worker_has_the_time_to_save_its_states(name: str) -> None:
    granted = parse_duration(SERVICES[name]["stop_grace_period"]) / UNITS["s"]
    assert granted >= SAVE_S + FINISH_S


def test_workers_and_learner_reach_the_same_checkpoints() -> None:
    for name in ("worker", "learner"):
        assert "worker:/var/lib/lapwing" in SERVICES[name]["volumes"]


def test_the_image_runs_as_nobody_in_particular_and_has_all_that_it_copies() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert f"USER {SERVICES['worker']['user']}" in lines
    copies = [line.split() for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = [name for _, *names, _ in copies for name in names]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed
