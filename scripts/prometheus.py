"""`python -m scripts.prometheus fetch | run FILE`: Debian's Prometheus, unpacked and not installed.

The package would also install and start a server, which nothing here needs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from scripts.commands import Command, fetching, run_script
from scripts.debian import Missing, unpack
from scripts.foreground import answers, free_ports, keep

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
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="lapwing-prometheus-") as folder:
        command: list[str | Path] = [
            program("prometheus"),
            f"--config.file={configuration.resolve()}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}",
            "--web.enable-lifecycle",  # POST /-/reload
        ]
        ready = partial(answers, f"http://{address}/-/ready")
        return keep("Prometheus", command, ready, f"http://{address}", log=Path(folder) / "log", within_s=60)


def _declare_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("configuration", type=Path, help="Prometheus's own configuration file")


def main() -> int:
    """Fetch or run; exit code 3 where it cannot be had here, with the reason in a line."""
    running = "run a server until Ctrl-C; its address is the first line"
    return run_script(
        "prometheus",
        __doc__,
        fetching("download prometheus and promtool where they are missing", fetch),
        Command("run", running, lambda arguments: run(arguments.configuration), _declare_run),
    )


if __name__ == "__main__":
    sys.exit(main())
