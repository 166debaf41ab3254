"""`python -m scripts.debezium record FILE`: what Debezium says of changes in a small PostgreSQL.

The file is tests/streams/inputs/formats/debezium.jsonl. It is written once, when another version of Debezium
is to be read, and kept in the repository: tests need neither Java nor a database.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scripts.commands import Command, run_script
from scripts.debian import Missing, require
from scripts.foreground import free_ports
from scripts.maven import copy_jars
from scripts.postgres import binaries

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "debezium"
BEFORE: Final = """\
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer varchar(40) NOT NULL, total numeric(12,2), any_number numeric, state text,
  placed timestamp, paid timestamptz, due date, at_ms timestamp(3), gift boolean, note text, place point,
  doc jsonb
);
ALTER TABLE orders REPLICA IDENTITY FULL;
CREATE TABLE notes (id int PRIMARY KEY, text text, seen int);
INSERT INTO orders VALUES (1, 'ann', 12.50, 1.2345, 'new', '2026-03-01 10:00:00.123456',
  '2026-03-01 10:00:00+01', '2026-03-05', '2026-03-01 10:00:00.123', true, 'äöü "quoted"', '(1,2)',
  '{"a": 1}');
INSERT INTO notes VALUES (1, (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 100) n), 0);
"""
AFTER: Final = """\
INSERT INTO orders VALUES (2, 'bob', -3.00, 100000000000000000000.5, 'new', 'infinity',
  '2026-03-02 00:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE orders SET state = 'paid', total = 13.00 WHERE id = 1;
UPDATE notes SET seen = 1 WHERE id = 1;
DELETE FROM orders WHERE id = 2;
TRUNCATE notes;
"""
RECORDS: Final = 8
"""Two of the snapshot, an insertion, two updates, a deletion with its tombstone, a table made empty."""
RUNS: Final[dict[str, dict[str, str]]] = {
    "usual": {},
    "connect": {"time.precision.mode": "connect", "decimal.handling.mode": "string"},
}


@contextlib.contextmanager
def server() -> Iterator[int]:
    """Run a PostgreSQL that says what changes in it; yield its port of 127.0.0.1."""
    folder_of = binaries()
    demoted: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="lapwing-debezium-") as folder:
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            demoted = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        (port,) = free_ports(1)
        data = Path(folder) / "data"
        initdb: list[str | Path] = [folder_of / "initdb", "-D", data, "-U", "lapwing", "-A", "trust"]
        initdb += ["-E", "UTF8", "--locale=C"]
        subprocess.run(initdb, cwd=folder, stdout=sys.stderr, check=True, **demoted)
        options = f"-p {port} -h 127.0.0.1 -c wal_level=logical -k {folder}".split()
        process = subprocess.Popen(
            [folder_of / "postgres", "-D", data, *options], cwd=folder, stdout=sys.stderr, **demoted
        )
        try:
            while subprocess.run(
                [folder_of / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
            ).returncode:
                time.sleep(0.2)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def sql(port: int, text: str) -> None:
    """Run statements, each in a transaction of its own."""
    command = [str(binaries() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port)]
    subprocess.run([*command, "-U", "lapwing", "postgres"], input=text, text=True, check=True)


def lines(jars: Path, port: int, run: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what Debezium says in a run."""
    properties = {
        "name": run,
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
        "plugin.name": "pgoutput",
        "slot.name": run,
        "publication.name": run,
        "database.hostname": "127.0.0.1",
        "database.port": str(port),
        "database.user": "lapwing",
        "database.password": "none",
        "database.dbname": "postgres",
        "topic.prefix": "shop",
        "table.include.list": "public.orders,public.notes",
        "skipped.operations": "none",
        **RUNS[run],
    }
    file = folder / f"{run}.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    java = [require("java", "default-jdk-headless"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    command = [*java, "-cp", f"{jars}/*", str(HERE / "Record.java"), str(file), str(RECORDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, 1):
            topic, with_schema, without = line.split()
            yield {"run": run, "topic": topic, "with_schema": _json(with_schema), "without": _json(without)}
            if number == 2:  # the snapshot is over: what follows comes from the log of changes
                time.sleep(3)
                sql(port, AFTER)
    if process.returncode:
        msg = f"Debezium ended with {process.returncode}"
        raise Missing(msg)


def _json(word: str) -> str | None:
    return None if word == "-" else base64.b64decode(word).decode()


def record(path: Path) -> None:
    """Write what Debezium says of the same changes in each run."""
    jars = copy_jars("Debezium", HERE / "pom.xml", CACHE)
    with tempfile.TemporaryDirectory() as folder, path.open("w", encoding="utf-8") as out:
        for run in RUNS:
            with server() as port:
                sql(port, BEFORE)
                for line in lines(jars, port, run, Path(folder)):
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")


def _record(arguments: argparse.Namespace) -> int:
    record(arguments.file)
    return 0


def main() -> int:
    """Record; exit code 3 where Debezium cannot be had here, with the reason in a line."""
    command = Command(
        "record", "write the records to FILE", _record, lambda parser: parser.add_argument("file", type=Path)
    )
    return run_script("debezium", __doc__, command)


if __name__ == "__main__":
    sys.exit(main())
