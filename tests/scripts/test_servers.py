import kafka  # type: ignore[import-untyped]  # kafka-python ships no types
import psycopg
import pytest
import sqlalchemy

from scripts.kafka.node import CLUSTER
from tests.servers import Server


@pytest.mark.kafka
def test_apache_kafka_answers_as_itself(kafka_server: Server) -> None:
    client = kafka.KafkaAdminClient(bootstrap_servers=kafka_server.address)
    try:
        assert client.describe_cluster()["cluster_id"] == CLUSTER
    finally:
        client.close()


def test_each_test_has_an_empty_database(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text("CREATE TABLE left_behind (n int)"))
    engine.dispose()


test_and_the_next_one_too = test_each_test_has_an_empty_database


def test_postgres_is_on_no_port(postgres_server: str) -> None:
    with psycopg.connect(postgres_server.replace("+psycopg", "")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
