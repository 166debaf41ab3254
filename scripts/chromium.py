"""`python -m scripts.chromium fetch`: Debian's Chromium, for the desk's tests in a browser."""

from __future__ import annotations

import sys

from scripts.commands import fetching, run_script
from scripts.debian import require


def chromium() -> str:
    """Return the path of Chromium, installed where it is missing and this user may. Raises `Missing`."""
    return require("chromium", "chromium")


def main() -> int:
    """Fetch it; exit code 3 where it cannot be had here, with the reason in a line."""
    help_text = "install Chromium where it is missing and this user may"
    return run_script("chromium", __doc__, fetching(help_text, chromium))


if __name__ == "__main__":
    sys.exit(main())
