"""All the benchmarks with sizes that end within some minutes, or one of them.

python -m benchmarks [NAME [ARGUMENTS ...]]
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

PARTS: Final = {
    "checkpoint": ["--customers", "100000"],
    "desk": ["--steps", "200000", "--open", "5000"],
    "effects": ["--seeds", "2"],
    "engine": ["--customers", "10000", "100000", "--events", "300000"],
    "ingest": [],
    "inputs": [],
    "latency": [],
    "learning": ["100000"],
    "outcomes": ["--customers", "100000"],
    "replay": ["--customers", "2000"],
    "sink": [],
    "startup": [],
    "state": ["--customers", "100000"],
    "store": ["--steps", "400000"],
    "throughput": [],
}
"""The arguments of each, where none is named."""


def main() -> int:
    """Run them; the exit code is the first that is not 0."""
    chosen = {sys.argv[1]: sys.argv[2:]} if len(sys.argv) > 1 else PARTS
    unknown = chosen.keys() - PARTS.keys()
    if unknown:
        print(f"no such benchmark: {unknown.pop()}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    codes = []
    for name, arguments in chosen.items():
        print(f"\n== {name} {' '.join(arguments)}".rstrip(), flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        codes.append(subprocess.run(command, check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
