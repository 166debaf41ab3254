"""Workers whose checkpoints are on S3: one is killed, and the other goes on from the bucket."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from streams.checkpoints.store import CheckpointStore
from streams.core.rules.rule_set import RuleSet
from streams.rulebook.load import load_rulebook
from tests.integration.test_worker_recovery import Shop, child, last, wait_until
from tests.integration.test_worker_warnings import PARTITIONS, RULES

BUCKET = "lapwing-checkpoints"
pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(300)]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the URL of an empty bucket of an S3 server; where it is, stands in the environment."""
    import s3fs  # type: ignore[import-untyped]  # ships no types

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "lapwing",
        "AWS_SECRET_ACCESS_KEY": "a test's",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "LAPWING_HOLDOUT_SHARE": "0",  # as in the engine that says what is due
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir(BUCKET, region_name="eu-central-1")
    yield f"s3://{BUCKET}/production"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def shop(broker: str, bucket: str, tmp_path: Path) -> Shop:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    rules: RuleSet = load_rulebook(path).rules
    made = Shop(broker, tmp_path, rules, seed=5)
    made.settings = replace(made.settings, checkpoints=bucket)
    return made


def test_of_two_workers_one_is_killed_and_the_other_goes_on_from_the_bucket(shop: Shop, bucket: str) -> None:
    with child(shop, "first") as (process, stats), child(shop, "second") as (_, others):
        wait_until(lambda: bool(last(stats).get("lag")) and bool(last(others).get("lag")))
        for begin in range(0, 400, 50):
            shop.send(begin, begin + 50)
        wait_until(lambda: last(stats).get("checkpoints", 0) > 0 and last(others).get("checkpoints", 0) > 0)
        process.send_signal(signal.SIGKILL)
        shop.send(400, len(shop.records))
        wait_until(lambda: len(last(others)["lag"]) == 3 * PARTITIONS)
        shop.wait_for_all()
    assert shop.warnings()[0] == shop.due
    assert not shop.checkpoints.exists()
    log = (shop.folder / "second" / "log").read_text()
    assert re.search(rf"restored .*{BUCKET}/production/", log)
    store = CheckpointStore(bucket, shop.settings.app)
    assert store.partitions() == [*range(PARTITIONS)]
    for partition in range(PARTITIONS):
        assert len(store.whole(partition)) <= 3
        assert store.newest(partition) is not None
        assert store.leftovers(partition) == []
