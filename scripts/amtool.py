"""`python -m scripts.amtool fetch`: Alertmanager's amtool, out of Debian's package without installing it.

The package would also install and start an Alertmanager, which nothing here needs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from scripts.debian import Missing

ROOT: Final = Path(__file__).parent.parent
PLACE: Final = ROOT / ".cache" / "amtool" / "amtool"
PACKAGE: Final = "prometheus-alertmanager"


def amtool() -> Path:
    """Return the path of amtool where it is here. Raises `Missing`."""
    on_path = shutil.which("amtool")
    if on_path:
        return Path(on_path)
    if PLACE.is_file():
        return PLACE
    msg = "amtool is not here: python -m scripts.amtool fetch"
    raise Missing(msg)


def fetch() -> Path:
    """Return the path of amtool, downloaded where it is missing. Raises `Missing`."""
    try:
        return amtool()
    except Missing:
        pass
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        msg = f"amtool is not here, and this is no Debian to get {PACKAGE} from"
        raise Missing(msg)
    with tempfile.TemporaryDirectory(prefix="lapwing-amtool-") as folder:
        if os.geteuid() == 0:
            os.chmod(folder, 0o755)  # apt downloads as a user of its own
        failed = _failure([apt, "-qq", "download", PACKAGE], folder)
        if failed and os.geteuid() == 0:
            failed = _failure([apt, "-qq", "update"], folder) or _failure(
                [apt, "-qq", "download", PACKAGE], folder
            )
        packages = list(Path(folder).glob("*.deb"))
        if failed or not packages:
            msg = f"amtool is not here, and apt-get download {PACKAGE} failed: {failed or 'nothing came'}"
            raise Missing(msg)
        failed = _failure([dpkg, "--extract", str(packages[0]), "out"], folder)
        tool = Path(folder, "out", "usr", "bin", "amtool")
        if failed or not tool.is_file():
            msg = f"{packages[0].name} holds no amtool: {failed}"
            raise Missing(msg)
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        part = PLACE.with_suffix(f".{os.getpid()}.part")
        shutil.copy2(tool, part)
        part.replace(PLACE)
    return PLACE


def _failure(command: list[str], folder: str) -> str | None:
    """Run a command; return its last line where it failed."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return (done.stdout.strip().splitlines() or ["no word why"])[-1] if done.returncode else None


def main() -> int:
    """Fetch it; exit code 3 where it cannot be had here, with the reason in a line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.amtool", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="download amtool where it is missing")
    parser.parse_args()
    try:
        print(fetch(), file=sys.stderr)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
