"""`python -m scripts.chromium fetch`: Debian's Chromium, for the desk's tests in a browser."""

from __future__ import annotations

import sys

from scripts.debian import fetch_alone, require


def chromium() -> str:
    """Return the path of Chromium, installed where it is missing and this user may. Raises `Missing`."""
    return require("chromium", "chromium")


def main() -> int:
    """Fetch it; exit code 3 where it cannot be had here, with the reason in a line."""
    return fetch_alone(
        "chromium", __doc__, "install Chromium where it is missing and this user may", chromium
    )


if __name__ == "__main__":
    sys.exit(main())
