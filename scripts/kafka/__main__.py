"""`python -m scripts.kafka fetch | run`: Apache Kafka's jars, and a broker on 127.0.0.1 until Ctrl-C."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.commands import Command, fetching, run_script
from scripts.debian import require
from scripts.foreground import keep
from scripts.kafka.node import CLUSTER, properties, two_ports
from scripts.kafka.secure import PROTOCOLS, make_secure
from scripts.maven import JAVA_PACKAGE, copy_jars

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "kafka"


def fetch() -> Path:
    """Return the folder of jars, after copying those that `pom.xml` names where they are not there yet."""
    return copy_jars("Apache Kafka", HERE / "pom.xml", CACHE)


def run(port: int, data: Path, heap: str, secure: Path | None, users: Sequence[str] = ()) -> int:
    """Run one node on `port` (0: a free one) with its data in `data`, formatted where it is new.

    With `secure` it has listeners that ask for a password and encrypt, described in that file, and `users`,
    who have no right yet; what is allowed and denied is logged.
    """
    java = require("java", JAVA_PACKAGE)
    jars = fetch()
    data.mkdir(parents=True, exist_ok=True)
    port, controller = two_ports(port)
    config, log = data / "server.properties", data / "kafka.log"
    credentials: list[str] = []
    options: list[str] = []
    if secure is None:
        config.write_text(properties(port, controller, data / "log"))
    else:
        listeners = make_secure(data, users)
        more = listeners.properties(data)
        config.write_text(properties(port, controller, data / "log", listeners.addresses, more, PROTOCOLS))
        listeners.write(secure)
        credentials, options = listeners.credentials, listeners.java_options
        if users:
            options.append("-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=debug")
    base = [
        java,
        f"-Xmx{heap}",
        *options,
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{jars}/*",
    ]
    with log.open("ab") as out:
        if not (data / "log" / "meta.properties").exists():
            cluster = ["--cluster-id", CLUSTER, "--config", str(config), *credentials]
            subprocess.run(
                [*base, "kafka.tools.StorageTool", "format", *cluster], stdout=out, stderr=out, check=True
            )
    base.insert(1, "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info")
    begins = log.stat().st_size

    def ready() -> bool:
        return b"Kafka Server started" in log.read_bytes()[begins:]

    command = [*base, "kafka.Kafka", str(config)]
    return keep("Apache Kafka", command, ready, f"127.0.0.1:{port}", log=log, within_s=60)


def _fetch() -> None:
    require("java", JAVA_PACKAGE)
    fetch()


def _declare_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--data", type=Path, help="kept afterwards; default: a temporary folder")
    parser.add_argument("--heap", default="1g")
    parser.add_argument(
        "--secure",
        type=Path,
        help="also listen with SASL and TLS; write where, and the secrets, to this file",
    )
    parser.add_argument(
        "--users", default="", help="further users of these listeners; what they may and may not is logged"
    )


def _run(arguments: argparse.Namespace) -> int:
    users = arguments.users.split(",") if arguments.users else []
    if arguments.data:
        return run(arguments.port, arguments.data.resolve(), arguments.heap, arguments.secure, users)
    with tempfile.TemporaryDirectory(prefix="lapwing-kafka-") as data:
        return run(arguments.port, Path(data), arguments.heap, arguments.secure, users)


def main() -> int:
    """Fetch or run; exit code 3 where Kafka cannot be had here, with the reason in a line."""
    running = "run a broker until Ctrl-C; its address is the first line of output"
    return run_script(
        "kafka",
        __doc__,
        fetching("copy Apache Kafka's jars into .cache/", _fetch),
        Command("run", running, _run, _declare_run),
    )


if __name__ == "__main__":
    sys.exit(main())
