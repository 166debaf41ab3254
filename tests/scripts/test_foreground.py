"""A server in the foreground: how it ends when the server does, or is never ready."""

import sys
from pathlib import Path

import pytest

from scripts.foreground import answers, free_ports, keep

END = [sys.executable, "-c", "import sys; print('no disk'); sys.exit(4)"]


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)


def test_a_server_that_ends_by_itself_is_an_error_with_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keep("The server", END, lambda: False, "nowhere", log=tmp_path / "log", within_s=60) == 1
    assert capsys.readouterr() == ("", "The server did not stay up:\nno disk\n\n")


def test_a_server_that_is_not_ready_in_time_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert keep("The server", server, lambda: False, "nowhere", log=tmp_path / "log", within_s=0) == 1
    assert capsys.readouterr().out == ""


def test_ports_are_free_and_different() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert not any(answers(f"http://127.0.0.1:{port}/") for port in ports)
