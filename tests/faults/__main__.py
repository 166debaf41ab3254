"""`python -m tests.faults 1-8 12`: play seeds one after the other, a line each; exit code 1 at a failure."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from streams.errors import LapwingError
from tests.faults.history import Size
from tests.faults.hosts import EmbeddedHost, Host, KafkaHost
from tests.faults.run import Outcome, Plan, Run
from tests.faults.schedule import FAULTS, Kind
from tests.faults.verdict import shown
from tests.paths import ROOT
from tests.servers import ServerAbsent

FOLDERS = ROOT / ".cache" / "campaign"


def seeds(words: list[str]) -> list[int]:
    """Return the seeds of `1-8`, `3 7` or `1-4,9`."""
    found: list[int] = []
    for word in " ".join(words).replace(",", " ").split():
        first, _, last = word.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> int:
    """Play the seeds; 0 where all came out as they had to, 1 where one did not, 3 without a broker."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("seeds", nargs="+", help="such as 1-8, or 3 7")
    parser.add_argument("--broker", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument(
        "--only", nargs="+", choices=list(Kind), default=list(Kind), help="the kinds of fault"
    )
    parser.add_argument("--faults", type=int, help="how many there are in a run; default: between 3 and 6")
    parser.add_argument("--live-days", type=int, default=Size().live_days, help="two go by in a second")
    parser.add_argument("--keep", action="store_true", help="keep the folders of seeds that came out well")
    given = parser.parse_args()
    plan = Plan(
        Size(live_days=given.live_days),
        frozenset(Kind(word) for word in given.only),
        (given.faults, given.faults) if given.faults else FAULTS,
    )
    FOLDERS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=time.strftime("%m%d-%H%M%S-"), dir=FOLDERS))
    logging.basicConfig(
        filename=folder / "campaign.log", level=logging.WARNING
    )  # what the clients have to say
    try:
        host: Host = KafkaHost(folder / "kafka") if given.broker == "kafka" else EmbeddedHost()
    except (ServerAbsent, LapwingError) as reason:
        print(reason, file=sys.stderr)
        return 3
    failed = []
    try:
        for seed in seeds(given.seeds):
            if not _play(seed, host, folder, plan, keep=given.keep):
                failed.append(seed)
    finally:
        host.close()
    played = len(seeds(given.seeds))
    print(f"{played - len(failed)} of {played} seeds came out as they had to on {given.broker}", flush=True)
    if failed:
        again = " ".join(map(str, failed))
        print(f'again: make campaign BROKER={given.broker} SEEDS="{again}"; what was left: {folder}')
    elif not given.keep:
        shutil.rmtree(folder)
    return 1 if failed else 0


def _play(seed: int, host: Host, folder: Path, plan: Plan, *, keep: bool) -> bool:
    own = folder / str(seed)
    run = Run(seed, host, own, plan)
    try:
        outcome = run.play()
    except Exception:
        outcome = run.outcome
        outcome.differences.append(f"failed: {traceback.format_exc()}")
    good = not outcome.differences
    kinds = " ".join(fault.kind for fault in outcome.schedule)
    print(
        f"seed {seed:>4}  {'ok    ' if good else 'FAILED'} {outcome.seconds:5.1f} s  "
        f"{outcome.events} events, {outcome.steps} steps, {outcome.doubles} sent twice, "
        f"{len(outcome.ended)} ended  [{kinds}]",
        flush=True,
    )
    for line in outcome.ended:
        print(f"    {line}")
    if not good:
        _tell(outcome, own)
    elif not keep:
        shutil.rmtree(own)
    return good


def _tell(outcome: Outcome, folder: Path) -> None:
    for fault in outcome.schedule:
        print(f"    {fault}")
    for line in shown(outcome.differences):
        print(f"    {line}")
    print(f"    logs, topics and databases: {folder}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
