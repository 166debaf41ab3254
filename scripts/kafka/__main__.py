"""`python -m scripts.kafka fetch | run`: Apache Kafka's jars, and a broker on 127.0.0.1 until Ctrl-C."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.debian import Missing, require
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
        server = subprocess.Popen(
            [*base, "kafka.Kafka", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )

    def ready() -> bool:
        return b"Kafka Server started" in log.read_bytes()[begins:]

    code = keep(server, ready, f"127.0.0.1:{port}", within_s=60)
    if code:
        print(f"Apache Kafka did not stay up:\n{log.read_text()[-2000:]}", file=sys.stderr)
    return code


def main() -> int:
    """Fetch or run; exit code 3 where Kafka cannot be had here, with the reason in a line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.kafka", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="copy Apache Kafka's jars into .cache/")
    runs = commands.add_parser(
        "run", help="run a broker until Ctrl-C; its address is the first line of output"
    )
    runs.add_argument("--port", type=int, default=0, help="default: a free one")
    runs.add_argument("--data", type=Path, help="kept afterwards; default: a temporary folder")
    runs.add_argument("--heap", default="1g")
    runs.add_argument(
        "--secure",
        type=Path,
        help="also listen with SASL and TLS; write where, and the secrets, to this file",
    )
    runs.add_argument(
        "--users", default="", help="further users of these listeners; what they may and may not is logged"
    )
    arguments = parser.parse_args()
    try:
        if arguments.command == "fetch":
            require("java", JAVA_PACKAGE)
            fetch()
            return 0
        users = arguments.users.split(",") if arguments.users else []
        if arguments.data:
            return run(arguments.port, arguments.data.resolve(), arguments.heap, arguments.secure, users)
        with tempfile.TemporaryDirectory(prefix="lapwing-kafka-") as data:
            return run(arguments.port, Path(data), arguments.heap, arguments.secure, users)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
