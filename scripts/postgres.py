"""`python -m scripts.postgres fetch | run`: a PostgreSQL of its own on a unix socket until Ctrl-C."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.commands import Command, fetching, run_script
from scripts.debian import Missing, install
from scripts.foreground import keep

CLUSTERS = Path("/etc/postgresql-common/createcluster.d/lapwing.conf")


def binaries() -> Path:
    """Return the folder of `initdb` and `postgres`, installed where missing. Raises `Missing`."""
    found = _binaries()
    if found is None:
        _install()
        found = _binaries()
    if found is None:
        msg = "PostgreSQL is not installed, nor is it after installing postgresql"
        raise Missing(msg)
    return found


def _binaries() -> Path | None:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return newest[-1].parent if newest else None


def _install() -> None:
    """Install the server alone: Debian's package would also make a cluster and start it on port 5432."""
    is_root = os.geteuid() == 0
    if is_root:
        CLUSTERS.parent.mkdir(parents=True, exist_ok=True)
        CLUSTERS.write_text("create_main_cluster = false\n")
    try:
        install("PostgreSQL", "postgresql")
    finally:
        if is_root:
            CLUSTERS.unlink(missing_ok=True)


def run() -> int:
    """Run a new, empty server; its address is the first line of output. Nothing of it is kept."""
    bin_ = binaries()
    # PostgreSQL refuses root, and only this user may open the folder of its socket.
    user = _unprivileged() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="lapwing-pg-") as folder:
        socket, log = Path(folder) / "s", Path(folder) / "log"
        socket.mkdir(mode=0o700)
        demoted: dict[str, Any] = {}
        if user:
            for path in (Path(folder), socket):
                os.chown(path, user.pw_uid, user.pw_gid)
            demoted = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = Path(folder) / "data"
        with log.open("wb") as out:
            initdb: list[str | Path] = [bin_ / "initdb", "-D", data, "-U", "lapwing", "-A", "trust"]
            initdb += ["-E", "UTF8", "--locale=C", "--no-sync"]
            subprocess.run(initdb, cwd=folder, stdout=out, stderr=out, check=True, **demoted)

        def ready() -> bool:
            return b"ready to accept connections" in log.read_bytes()

        address = f"postgresql+psycopg://lapwing@/postgres?host={socket}"
        server: list[str | Path] = [bin_ / "postgres", "-D", data, "-k", socket, "-h", "", "-F"]
        server += ["-c", "max_connections=50"]
        return keep(
            "PostgreSQL", server, ready, address, log=log, within_s=60, stop=signal.SIGINT, user=demoted
        )


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    msg = "PostgreSQL refuses root, and there is no user `postgres` or `nobody` to run it as"
    raise Missing(msg)


def main() -> int:
    """Check or run; exit code 3 where PostgreSQL cannot be had here, with the reason in a line."""
    running = "run a server until Ctrl-C; its address is the first line of output"
    return run_script(
        "postgres",
        __doc__,
        fetching("install the server where it is missing and this user may", binaries),
        Command("run", running, lambda _arguments: run()),
    )


if __name__ == "__main__":
    sys.exit(main())
