"""All benchmarks, one after the other, in sizes that end within some minutes: `make bench`."""

from __future__ import annotations

import subprocess
import sys

RUNS = (
    ("benchmarks.engine", "--customers", "10000", "200000", "--events", "200000"),
    ("benchmarks.replay",),
    ("benchmarks.throughput", "--broker", "embedded", "--customers", "20000", "--events", "200000"),
)


def main() -> int:
    """Run each benchmark in a process of its own; return 1 if one failed."""
    failed = 0
    for module, *arguments in RUNS:
        print(f"\n== python -m {module} {' '.join(arguments)}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
