"""`python -m scripts.chromium fetch`: Debian's Chromium, for the desk's tests in a browser."""

from __future__ import annotations

import argparse
import sys

from scripts.debian import Missing, require


def chromium() -> str:
    """Return the path of Chromium, installed where it is missing and this user may. Raises `Missing`."""
    return require("chromium", "chromium")


def main() -> int:
    """Fetch it; exit code 3 where it cannot be had here, with the reason in a line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chromium", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="install Chromium where it is missing and this user may")
    parser.parse_args()
    try:
        print(chromium(), file=sys.stderr)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
