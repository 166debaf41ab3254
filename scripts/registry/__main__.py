"""`python -m scripts.registry fetch | run`: a schema registry on 127.0.0.1 until Ctrl-C; it keeps nothing."""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from scripts.commands import Command, fetching, run_script
from scripts.debian import require
from scripts.foreground import answers, free_ports, keep
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
    options = ["-Xmx256m", "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
    with tempfile.TemporaryDirectory(prefix="lapwing-registry-") as folder:
        return keep(
            "the schema registry",
            [java, *options, "-jar", jar],
            lambda: answers(f"{address}/subjects"),
            address,
            log=Path(folder) / "log",
            within_s=120,
        )


def _fetch() -> None:
    require("java", JAVA_PACKAGE)
    fetch()


def main() -> int:
    """Fetch or run; exit code 3 where it cannot be had here, with the reason in a line."""
    running = "run it until Ctrl-C; its address is the first line of output"
    return run_script(
        "registry",
        __doc__,
        fetching("copy the registry into .cache/", _fetch),
        Command("run", running, lambda _arguments: run()),
    )


if __name__ == "__main__":
    sys.exit(main())
