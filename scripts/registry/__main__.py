"""`python -m scripts.registry fetch | run`: a schema registry on 127.0.0.1 until Ctrl-C; it keeps nothing."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from scripts.debian import Missing, require
from scripts.foreground import keep
from scripts.kafka.node import free_ports
from scripts.maven import JAVA_PACKAGE, copy_jars

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "registry"
PROTOCOL = "/apis/ccompat/v7"
"""Where Apicurio speaks Confluent's protocol."""


def fetch() -> Path:
    """Return the registry's jar, after fetching and unpacking it where it is not there yet."""
    unpacked = CACHE / "app"
    archives = copy_jars("a schema registry", HERE / "pom.xml", CACHE)
    (archive,) = archives.glob("*.tar.gz")
    if not (unpacked / archive.stem).exists():
        with tarfile.open(archive) as content:
            content.extractall(unpacked, filter="data")
        (unpacked / archive.stem).touch()
    (jar,) = unpacked.glob("*-runner.jar")
    return jar


def run() -> int:
    """Run a registry that keeps schemas in memory; its address is the first line of output."""
    java, jar = require("java", JAVA_PACKAGE), fetch()
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}{PROTOCOL}"
    with tempfile.TemporaryDirectory(prefix="lapwing-registry-") as folder:
        log = Path(folder) / "log"
        options = ["-Xmx256m", "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
        with log.open("wb") as out:
            server = subprocess.Popen(
                [java, *options, "-jar", jar],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

        def ready() -> bool:
            try:
                with urllib.request.urlopen(f"{address}/subjects", timeout=5) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        code = keep(server, ready, address, within_s=120)
        if code:
            print(f"the schema registry did not stay up:\n{log.read_text()[-2000:]}", file=sys.stderr)
        return code


def main() -> int:
    """Fetch or run; exit code 3 where it cannot be had here, with the reason in a line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.registry", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="copy the registry into .cache/")
    commands.add_parser("run", help="run it until Ctrl-C; its address is the first line of output")
    arguments = parser.parse_args()
    try:
        if arguments.command == "fetch":
            require("java", JAVA_PACKAGE)
            fetch()
            return 0
        return run()
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
