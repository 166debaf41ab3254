from __future__ import annotations

import faust.transport
from yarl import URL

from streams.intake import transport


def test_the_broker_urls_scheme_chooses_the_transport() -> None:
    assert faust.transport.by_url(URL("lapwing://127.0.0.1:9092")) is transport.Transport
    assert transport.Transport.Consumer is transport.Consumer
