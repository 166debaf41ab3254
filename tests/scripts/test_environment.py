import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT


def run(python: Path | str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "scripts" / "environment.sh"), str(python), str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def fake(folder: Path, *, old: bool) -> Path:
    """A Python that is too old, or one without `ensurepip`."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in *version_info*) exit {int(old)};; *) exit 1;; esac\n')
    python.chmod(0o755)
    return python


def test_an_old_python_is_refused_in_a_line(tmp_path: Path) -> None:
    done = run(fake(tmp_path, old=True), tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Lapwing needs Python 3.11 or newer; ")
    assert done.stderr.count("\n") == 1


def test_no_python_is_told_in_a_line(tmp_path: Path) -> None:
    done = run("python-that-is-not-there", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_python_without_venv_tells_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = tmp_path / "id"
    identity.write_text("#!/bin/sh\necho 1000\n")
    identity.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    done = run(fake(tmp_path, old=False), tmp_path)
    assert done.returncode == 1
    assert "on Debian: apt-get install python" in done.stderr
