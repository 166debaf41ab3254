"""`python -m scripts.prometheus fetch | run FILE`: Debian's Prometheus, unpacked and not installed.

The package would also install and start a server, which nothing here needs.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Final

from scripts.debian import Missing, unpack
from scripts.foreground import keep

ROOT: Final = Path(__file__).parent.parent
PLACE: Final = ROOT / ".cache" / "prometheus"
PACKAGE: Final = "prometheus"
PROGRAMS: Final = ("prometheus", "promtool")


def program(name: str) -> Path:
    """Return the path of `prometheus` or `promtool` where it is here. Raises `Missing`."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    if (PLACE / name).is_file():
        return PLACE / name
    msg = f"{name} is not here: python -m scripts.prometheus fetch"
    raise Missing(msg)


def fetch() -> Path:
    """Return the path of promtool; download it and the server where they are missing. Raises `Missing`."""
    try:
        return [program(name) for name in PROGRAMS][-1]
    except Missing:
        unpack(PACKAGE, *PROGRAMS, into=PLACE)
    return program("promtool")


def run(configuration: Path) -> int:
    """Run a server that keeps nothing; its address is the first line of output. Raises `Missing`."""
    with tempfile.TemporaryDirectory(prefix="lapwing-prometheus-") as folder:
        log = Path(folder) / "log"
        address = f"127.0.0.1:{_free_port()}"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={configuration.resolve()}",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address={address}",
                    "--web.enable-lifecycle",  # POST /-/reload
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        code = keep(server, lambda: _ready(address), f"http://{address}", within_s=60)
        if code:
            print(f"Prometheus did not stay up:\n{log.read_text()[-2000:]}", file=sys.stderr)
        return code


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    """Fetch or run; exit code 3 where it cannot be had here, with the reason in a line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.prometheus", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="download prometheus and promtool where they are missing")
    running = commands.add_parser("run", help="run a server until Ctrl-C; its address is the first line")
    running.add_argument("configuration", type=Path, help="Prometheus's own configuration file")
    arguments = parser.parse_args()
    try:
        if arguments.command == "run":
            return run(arguments.configuration)
        print(fetch(), file=sys.stderr)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
