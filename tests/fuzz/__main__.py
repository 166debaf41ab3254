"""`python -m tests.fuzz [--seconds S] [TARGET ...]`: look for inputs that end a process, and keep them."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

from tests.fuzz.kept import folders, inputs, keep
from tests.fuzz.mutants import mutant
from tests.fuzz.targets import TARGETS
from tests.paths import ROOT

CACHE = ROOT / ".cache" / "fuzz"
LONGEST = 20_000
"""Bytes of an input that atheris makes."""


def changed(name: str, seconds: float, seed: int) -> tuple[int, bytes | None]:
    """Change the corpus until the time is over; return how often, and the first that breaks something."""
    random, kept = Random(seed), [path.read_bytes() for path in inputs(name)]
    until, tried = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = mutant(random.choice(kept), random)
        tried += 1
        try:
            TARGETS[name](data)
        except Exception:
            traceback.print_exc()
            return tried, data
    return tried, None


def guided(name: str, seconds: float) -> tuple[str, bytes | None]:
    """Let atheris look; return its last line, and the first input that breaks something."""
    own = CACHE / name
    own.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        options = [f"-max_total_time={max(1, round(seconds))}", f"-artifact_prefix={folder}/", "-timeout=20"]
        options += [f"-max_len={LONGEST}", "-rss_limit_mb=4096", "-close_fd_mask=1", "-print_final_stats=0"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.guided", name, *options, str(own), *map(str, folders(name))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        found = sorted(Path(folder).iterdir())
        if found:
            print(done.stderr[-4_000:], file=sys.stderr)
            return "", found[0].read_bytes()
        if done.returncode:
            sys.exit(f"atheris could not look at {name}:\n{done.stderr[-2_000:]}")
        return done.stderr.strip().splitlines()[-1], None


def main() -> int:
    """Look at each target; exit code 1 where anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    has_atheris = importlib.util.find_spec("atheris") is not None
    if not has_atheris:
        print("atheris has no wheel here: the corpus is changed without it", file=sys.stderr)
    bad = 0
    for name in arguments.targets or TARGETS:
        share = arguments.seconds / 2 if has_atheris else arguments.seconds
        tried, data = changed(name, share, arguments.seed)
        line = f"{tried:,} changed"
        if data is None and has_atheris:
            last, data = guided(name, share)
            line += f"; {last}"
        if data is not None:
            bad += 1
            line = f"FOUND {keep(name, data, 'found').relative_to(ROOT)}"
        print(f"{name:<24} {line}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
