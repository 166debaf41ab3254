from __future__ import annotations

import pytest

from consumers.broker.errors import BrokerAway
from consumers.broker.late_sender import LateSender
from tests.consumers.desk.desks import Sent

AWAY = BrokerAway("no broker")


class Closing(Sent):
    closed = False
    flushed = 0

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None:
        self.closed = True


def test_it_connects_at_the_first_record_and_again_where_it_could_not() -> None:
    made, answers = Closing(), [AWAY, None]

    def connect() -> Closing:
        if (trouble := answers.pop(0)) is not None:
            raise trouble
        return made

    sender = LateSender(connect)
    sender.flush()
    sender.close()
    assert len(answers) == 2
    with pytest.raises(BrokerAway):
        sender.send("t", b"k", b"1")
    sender.send("t", b"k", b"1")
    sender.send("t", b"k", b"2")
    sender.flush()
    sender.close()
    assert made.records == [("t", b"k", b"1"), ("t", b"k", b"2")]
    assert (answers, made.flushed, made.closed) == ([], 1, True)
