from __future__ import annotations

import pytest
from faust import SASLCredentials, SSLCredentials

from streams.errors import BrokerError
from streams.intake.broker import aiokafka_security, check_topics
from streams.worker.app import credentials

SASL = {"sasl_mechanism": "PLAIN", "sasl_plain_username": "lapwing", "sasl_plain_password": "x"}


def test_topics_that_fit_pass() -> None:
    check_topics({"orders": 3, "logins": 3, "out": 1, "other": 7}, ["orders", "logins"], ["out"])


def test_all_missing_topics_are_named_at_once() -> None:
    with pytest.raises(
        BrokerError, match=r"no topic logins, out, or .* see them: .*`lapwing topics`.*--acls"
    ):
        check_topics({"orders": 3}, ["orders", "logins"], ["out"])


def test_input_topics_of_different_sizes_are_named() -> None:
    with pytest.raises(BrokerError, match="but logins has 2, orders has 3"):
        check_topics({"orders": 3, "logins": 2, "out": 1}, ["orders", "logins"], ["out"])


def test_a_source_whose_topic_is_missing_is_named_as_one() -> None:
    with pytest.raises(BrokerError, match=r"no topic shop, which the file of inputs names"):
        check_topics({"orders": 3}, ["orders", "shop"], ["out"], ["shop"])


def test_where_a_source_has_another_number_of_partitions_the_way_out_is_said() -> None:
    with pytest.raises(BrokerError, match=r"orders has 3, shop has 2; what `lapwing import --follow` writes"):
        check_topics({"orders": 3, "shop": 2}, ["orders", "shop"], [], ["shop"])


def test_without_security_nothing_is_given() -> None:
    assert credentials({}) is None
    assert credentials({"security_protocol": "PLAINTEXT"}) is None
    assert aiokafka_security({"security_protocol": "PLAINTEXT"})["ssl_context"] is None


def test_faust_and_aiokafka_speak_to_the_broker_in_the_same_way() -> None:
    assert isinstance(credentials({"security_protocol": "SSL"}), SSLCredentials)
    for protocol in ("SASL_PLAINTEXT", "SASL_SSL"):
        given = credentials({"security_protocol": protocol, **SASL})
        assert isinstance(given, SASLCredentials)
        options = aiokafka_security({"security_protocol": protocol, **SASL})
        assert given.protocol.value == options["security_protocol"] == protocol
        assert given.mechanism.value == options["sasl_mechanism"] == "PLAIN"
        assert (given.username, given.password) == ("lapwing", "x")
        assert (options["ssl_context"] is None) == (protocol == "SASL_PLAINTEXT")


def test_certificates_that_cannot_be_read_are_named() -> None:
    with pytest.raises(BrokerError, match=r"/nowhere\.pem cannot be read"):
        credentials({"security_protocol": "SSL", "ssl_cafile": "/nowhere.pem"})
