"""The ports that a Kafka node listens on."""

import pytest

from scripts.kafka import node


def test_the_controller_never_gets_the_port_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "free_ports", lambda count: [7, 8, 9][:count])
    assert node.two_ports(7) == (7, 9)
    assert node.two_ports(5) == (5, 8)
    assert node.two_ports(0) == (7, 8)
