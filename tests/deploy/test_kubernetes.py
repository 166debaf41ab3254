"""The manifests for Kubernetes: what its schemas allow, confined pods, commands and settings that exist."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
from ruamel.yaml import YAML

from lapwing.settings.settings import load_settings
from lapwing.settings.values import PREFIX
from streams.duration import UNITS, parse_duration
from streams.worker.run import FINISH_S, SAVE_S
from tests.command_lines import parse
from tests.paths import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = "1.34"
OWN = frozenset({"monitoring.coreos.com/v1", "keda.sh/v1alpha1"})
"""Kinds that a cluster has only with the Prometheus operator and with KEDA."""
EVENTS_A_SECOND = 1_000
"""For which the threshold of the lag is meant."""
SCHEMA = json.loads((ROOT / "tests" / "schemas" / "keda-scaled-object.json").read_text())

Manifest = dict[str, Any]


def manifests(folder: Path = FOLDER) -> Iterator[Manifest]:
    """Yield what the kustomization of a folder names, and that of its components."""
    yaml = YAML(typ="safe")
    for name in yaml.load(folder / "kustomization.yaml")["resources"]:
        yield from yaml.load_all((folder / name).read_text())


INTAKE = [*manifests(FOLDER / "ingest"), *manifests(FOLDER / "import")]
ALL = [*manifests(), *manifests(FOLDER / "keda"), *manifests(FOLDER / "monitoring"), *INTAKE]
PODS: dict[str, Manifest] = {
    each["metadata"]["name"]: each["spec"]["template"]
    for each in ALL
    if each["kind"] in ("Deployment", "Job")
}
SETTINGS: dict[str, str] = next(each["data"] for each in ALL if each["kind"] == "ConfigMap")
STAYING = sorted(set(PODS) - {"topics"})


def kind_and_name(manifest: Manifest) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def container(name: str) -> Manifest:
    (only,) = PODS[name]["spec"]["containers"]
    found: Manifest = only
    return found


def environment(name: str) -> dict[str, str]:
    return SETTINGS | {each["name"]: each["value"] for each in container(name).get("env", [])}


def test_every_file_is_named_by_a_kustomization() -> None:
    yaml = YAML(typ="safe")
    for folder in (FOLDER, *(FOLDER / name for name in ("import", "ingest", "keda", "monitoring"))):
        named = set(yaml.load(folder / "kustomization.yaml")["resources"]) | {"kustomization.yaml"}
        assert {path.name for path in folder.iterdir() if path.is_file()} == named
    assert sorted(PODS) == ["desk", "importer", "intake", "learner", "notifier", "sink", "topics", "worker"]


@pytest.mark.parametrize("manifest", ALL, ids=kind_and_name)
def test_a_manifest_is_what_kubernetes_allows(manifest: Manifest) -> None:
    if manifest["apiVersion"] not in OWN:
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_a_mistake_in_a_manifest_is_found() -> None:
    wrong = json.loads(json.dumps(next(each for each in ALL if each["kind"] == "Deployment")))
    wrong["spec"]["template"]["spec"]["containers"][0]["imagge"] = "lapwing"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_the_lag_at_which_keda_adds_a_worker_is_more_than_a_checkpoint_explains() -> None:
    scaled = next(each for each in ALL if each["kind"] == "ScaledObject")
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [error.message for error in validator.iter_errors(scaled)] == []
    assert not validator.is_valid(scaled | {"spec": {"triggers": "kafka"}})
    spec = scaled["spec"]
    assert spec["scaleTargetRef"]["name"] in PODS
    (trigger,) = spec["triggers"]
    every_s = parse_duration(SETTINGS["LAPWING_CHECKPOINT_EVERY"]) / UNITS["s"]
    assert int(trigger["metadata"]["lagThreshold"]) >= 2 * EVENTS_A_SECOND * every_s
    assert trigger["metadata"]["bootstrapServers"] == SETTINGS["LAPWING_BROKER"]
    assert trigger["metadata"]["consumerGroup"] == "lapwing"
    arguments = container("topics")["args"]
    assert spec["maxReplicaCount"] == int(arguments[arguments.index("--partitions") + 1])


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_command_and_settings_that_exist(name: str, tmp_path: Path) -> None:
    parse(list(container(name)["args"]))
    ours = {key: value for key, value in environment(name).items() if key.startswith(PREFIX)}
    for key in [key for key in ours if key.endswith("_FILE")]:
        assert ours[key].startswith("/run/secrets/lapwing/")
        file = tmp_path / key
        file.write_text("sqlite:///long-enough.db")
        file.chmod(0o640)
        ours[key] = str(file)
    settings = load_settings(environ=ours)
    sources = {settings.source(key.removeprefix(PREFIX).removesuffix("_FILE").lower()) for key in ours}
    assert {source.partition(":")[0] for source in sources} == set(ours)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_confined(name: str) -> None:
    pod, only = PODS[name]["spec"], container(name)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(only["resources"]["requests"])
    assert "memory" in only["resources"]["limits"]
    (secrets,) = [each["secret"] for each in pod["volumes"] if "secret" in each]
    assert secrets == {"secretName": "lapwing", "defaultMode": 0o440}


@pytest.mark.parametrize("name", STAYING)
def test_a_process_is_asked_how_it_is_and_has_the_time_to_end(name: str) -> None:
    only = container(name)
    asked = {probe: only[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe: each["path"] for probe, each in asked.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {each["port"] for each in asked.values()} == {"metrics"}
    ports = {each["name"]: each["containerPort"] for each in only["ports"]}
    assert SETTINGS["LAPWING_METRICS_LISTEN"] == f"0.0.0.0:{ports['metrics']}"
    if name in ("worker", "learner"):
        assert PODS[name]["spec"]["terminationGracePeriodSeconds"] >= SAVE_S + FINISH_S


def test_selectors_find_the_pods_that_they_are_meant_for() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    for each in ALL:
        if each["kind"] in ("Deployment", "PodDisruptionBudget"):
            wanted = each["spec"]["selector"]["matchLabels"]
        elif each["kind"] == "Service":
            wanted = each["spec"]["selector"]
        else:
            continue
        found = [name for name, has in labels.items() if wanted.items() <= has.items()]
        assert found == [each["metadata"]["name"]]
    policies = [each["spec"]["podSelector"]["matchLabels"] for each in ALL if each["kind"] == "NetworkPolicy"]
    assert all(any(wanted.items() <= has.items() for wanted in policies) for has in labels.values())


def test_workers_keep_nothing_on_their_own_disk() -> None:
    assert SETTINGS["LAPWING_CHECKPOINTS"].startswith("s3://")
    for name in PODS:
        kinds = {key for each in PODS[name]["spec"]["volumes"] for key in each if key != "name"}
        assert kinds == {"secret", "emptyDir"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")
@pytest.mark.parametrize("components", [False, True])
def test_kustomize_makes_the_manifests(components: bool, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    file = tmp_path / "kubernetes" / "kustomization.yaml"
    if components:
        file.write_text(file.read_text().replace("# components:", "components:"))
    done = subprocess.run(
        ["kubectl", "kustomize", str(file.parent)], capture_output=True, text=True, check=True
    )
    made = [*YAML(typ="safe").load_all(done.stdout)]
    assert len(made) == len([*manifests()]) + (2 + len(INTAKE)) * components
    assert {each["metadata"].get("namespace", "lapwing") for each in made} == {"lapwing"}
    images = {
        each["spec"]["template"]["spec"]["containers"][0]["image"]
        for each in made
        if each["kind"] == "Deployment"
    }
    assert images == {"lapwing:0.1.0"}
