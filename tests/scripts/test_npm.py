from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import npm
from scripts.debian import Missing


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "reader"
    made.mkdir()
    (made / "package-lock.json").write_text("1")
    (made / "reader.mjs").write_text("first")
    monkeypatch.setattr(npm, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(npm, "require", lambda command, *packages: command)
    return made


def test_packages_are_installed_once_for_each_lock_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def run(command: list[str], cwd: Path, **more: object) -> SimpleNamespace:
        assert command[:2] == ["npm", "ci"]
        calls.append(cwd)
        (cwd / "node_modules").mkdir()
        return SimpleNamespace(returncode=0, stdout="")

    monkeypatch.setattr(subprocess, "run", run)
    target = npm.installed(folder)
    assert (target / "node_modules").is_dir()
    (folder / "reader.mjs").write_text("second")
    assert (npm.installed(folder) / "reader.mjs").read_text() == "second"
    assert len(calls) == 1
    (folder / "package-lock.json").write_text("2")
    npm.installed(folder)
    assert len(calls) == 2


def test_what_cannot_be_fetched_is_missing_with_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = SimpleNamespace(returncode=1, stdout="npm http\nnpm error code ENOTFOUND\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: wrong)
    with pytest.raises(Missing, match="reader could not be fetched: npm error code ENOTFOUND"):
        npm.installed(folder)
    assert not (npm.CACHE / "reader").exists()
