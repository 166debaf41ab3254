"""A backtest of what a broker's topics hold: the same as of a file."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from consumers.broker.client import Admin, Cluster, Producer
from lapwing.cli import lapwing
from streams.contract.instants import read_instant, to_us
from streams.errors import BrokerError

RULES = """version: 1
rules:
  - {id: silent, when: days_since_order >= 20, tier: high, reason: silence, for: 1d}
"""


MAPPING = """
    events:
      - to: orders
        where: {kind: order}
        fields:
          event_id: id
          customer_id: customer.number
          occurred_at: {path: created, time: epoch_us}
          order_id: number
          amount: {path: total, decimal: comma}
          currency: {constant: EUR}
      - to: logins
        where: {kind: visit}
        fields: {event_id: id, customer_id: customer.number, occurred_at: {path: created, time: epoch_us}}
"""


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(lapwing, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def judged(*arguments: str) -> dict[str, object]:
    common = ["--rules", "rules.yaml", "--horizon", "30d", "--json"]
    found: dict[str, object] = json.loads(run("backtest", *arguments, *common).stdout)
    return found


def of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go to a folder with rules, name topics that nobody else has, and return what their names end in."""
    monkeypatch.chdir(folder)
    (folder / "rules.yaml").write_text(RULES)
    mark = uuid4().hex[:8]
    for topic in ("orders", "logins", "complaints", "profiles"):
        monkeypatch.setenv(f"LAPWING_{topic.upper()}", f"{topic}-{mark}")
    return mark


def test_topics_give_the_figures_of_the_file(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = of_its_own(tmp_path, monkeypatch)
    admin = Admin(Cluster(broker))
    for topic in ("orders", "logins", "complaints"):
        admin.create(f"{topic}-{mark}", 2, 1, {})
    admin.close()
    shop = ["simulate", "--customers", "40", "--days", "100"]
    for target in (["--broker", broker], ["--out", "events.jsonl"]):
        run(*shop, *target)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["type"] != "profile"]  # there is no topic for them
    (tmp_path / "events.jsonl").write_text("\n".join(kept))
    of_file, of_topics = judged("events.jsonl"), judged("--broker", broker)
    assert of_topics == of_file
    assert of_file["events"] == len(kept)

    later = judged("--broker", broker, "--from", "30")
    assert 0 < int(str(later["events"])) < len(kept)
    monkeypatch.setenv("LAPWING_ORDERS", f"none-{mark}")
    with pytest.raises(BrokerError, match="has no topic"):
        judged("--broker", broker, "--from", "0")


def web(event: dict[str, Any]) -> dict[str, Any]:
    """The record of a web shop that becomes this order or login."""
    record = {
        "id": event["event_id"],
        "kind": "order" if event["type"] == "order" else "visit",
        "customer": {"number": event["customer_id"]},
        "created": to_us(read_instant(event["occurred_at"])),
    }
    if event["type"] == "order":
        record |= {"number": event["order_id"], "total": str(event["amount"]).replace(".", ",")}
    return record


def test_mapped_topics_give_the_figures_of_the_imported_file(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All orders and half of the logins are a web shop's records, all else is of the contract."""
    mark = of_its_own(tmp_path, monkeypatch)
    monkeypatch.setenv("LAPWING_INPUTS", "topics.yaml")
    (tmp_path / "topics.yaml").write_text(f"version: 1\nsources:\n  web:\n    topic: web-{mark}{MAPPING}")
    (tmp_path / "files.yaml").write_text(f"version: 1\nsources:\n  web:\n    files: web.jsonl{MAPPING}")
    admin = Admin(Cluster(broker))
    for topic in ("web", "logins", "complaints"):  # the web shop's topic is where orders come from
        admin.create(f"{topic}-{mark}", 2, 1, {})
    admin.close()
    run("simulate", "--customers", "40", "--days", "100", "--out", "events.jsonl")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    shop: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for number, event in enumerate(event for event in events if event["type"] != "profile"):
        is_mapped = event["type"] == "order" or (event["type"] == "login" and number % 2)
        (shop if is_mapped else own).append(event)
    for name, lines in (("own", own), ("web", map(web, shop))):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    producer = Producer(Cluster(broker))
    for event in own:
        topic = {"login": "logins", "complaint": "complaints"}[event["type"]]
        producer.send(f"{topic}-{mark}", event["customer_id"].encode(), json.dumps(event).encode())
    for event in shop:
        producer.send(f"web-{mark}", event["customer_id"].encode(), json.dumps(web(event)).encode())
    producer.send(f"web-{mark}", b"ann", b"no json")
    producer.send(f"web-{mark}", b"7", json.dumps(web(shop[0]) | {"id": "another"}).encode())
    producer.send(f"web-{mark}", b"ann", json.dumps(web(shop[0]) | {"kind": "newsletter"}).encode())
    producer.flush()
    producer.close()

    run("import", "web.jsonl", "--map", "files.yaml", "--to", "imported.jsonl")
    of_file = judged("own.jsonl", "imported.jsonl")
    said = run("backtest", "--broker", broker, "--rules", "rules.yaml", "--horizon", "30d", "--json")
    of_topics = json.loads(said.stdout)
    assert of_topics.pop("refused") == {"key_mismatch": 1, "not_json": 1}
    assert of_file.pop("refused") == {}
    assert of_topics == of_file
    assert of_file["events"] == len(own) + len(shop)
    places = [line for line in said.stderr.splitlines() if line.startswith(f"refused web-{mark}[")]
    assert len(places) == 2
    assert any("]@" in line and "not_json" in line for line in places)

    monkeypatch.delenv("LAPWING_INPUTS")
    with pytest.raises(BrokerError, match=f"has no topic orders-{mark}"):
        judged("--broker", broker)
