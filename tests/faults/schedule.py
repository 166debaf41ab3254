"""What happens to the system in a run, and when: all of it follows from the seed."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WORKERS: Final = ("one", "two")
SESSION_S: Final = 6.0
"""The group's session timeout: who is silent for longer loses the partitions."""


class Kind(StrEnum):
    """A fault."""

    KILL = "kill"
    """A worker is killed (SIGKILL) and started again."""
    FREEZE = "freeze"
    """A worker stands still (SIGSTOP) and goes on before the group has missed it."""
    LONG_FREEZE = "long-freeze"
    """A worker stands still until after its partitions were given to others."""
    STOP = "stop"
    """A worker is stopped in the ordinary way (SIGTERM) and started again."""
    JOIN = "join"
    """The second worker joins the first and leaves again."""
    DISK_FULL = "disk-full"
    """No worker can write a file of more than a few bytes."""
    DAMAGE = "damage"
    """Both workers are killed, and what they start from has lost or changed some of its bytes."""
    BROKER_RESTART = "broker-restart"
    """The broker is killed and started again with its data."""
    BROKER_FREEZE = "broker-freeze"
    """The broker stands still."""
    SINK_KILL = "sink-kill"
    """The sink is killed and started again."""
    DATABASE_LOCKED = "database-locked"
    """Another holds the database's write lock, for longer than SQLite waits for it."""
    DATABASE_FULL = "database-full"
    """The sink cannot write to its database."""
    REMAP = "remap"
    """The file of inputs changes, in a way that gives the same events; only where the shop's own are read."""


class Damage(StrEnum):
    """What is done to a partition's newest checkpoints."""

    FLIP = "flip"
    TRUNCATE = "truncate"
    NO_MANIFEST = "no-manifest"
    HALF_MANIFEST = "half-manifest"
    NO_TABLE = "no-table"


LASTS_S: Final = {
    Kind.KILL: (0.1, 4.0),
    Kind.FREEZE: (0.5, 4.0),
    Kind.LONG_FREEZE: (SESSION_S + 1.5, SESSION_S + 4.0),
    Kind.STOP: (0.1, 2.0),
    Kind.JOIN: (7.0, 12.0),
    Kind.DISK_FULL: (2.0, 6.0),
    Kind.DAMAGE: (0.1, 2.0),
    Kind.BROKER_RESTART: (0.1, 2.0),
    Kind.BROKER_FREEZE: (1.0, 8.0),
    Kind.SINK_KILL: (0.1, 3.0),
    Kind.DATABASE_LOCKED: (3.0, 8.0),
    Kind.DATABASE_FULL: (2.0, 5.0),
    Kind.REMAP: (0.5, 4.0),
}
"""Between how many seconds each goes on until it ends."""
FAULTS: Final = (3, 6)
"""How many there are in a run."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something that goes wrong `at` seconds after the live part began, and ends at `until`."""

    at: float
    until: float
    kind: Kind
    worker: str
    """Whom it befalls, where it befalls a worker."""
    damage: Damage
    dice: int
    """The seed of what else is left to chance."""

    def __str__(self) -> str:
        """Return a line."""
        what = f"{self.at:5.1f} s to {self.until:5.1f} s  {self.kind}"
        if self.kind is Kind.DAMAGE:
            return f"{what} ({self.damage})"
        on_worker = self.kind in {Kind.KILL, Kind.FREEZE, Kind.LONG_FREEZE, Kind.STOP}
        return f"{what} of {self.worker}" if on_worker else what


def schedule_of(seed: int, seconds: float, kinds: Collection[Kind], count: tuple[int, int]) -> list[Fault]:
    """Return the faults that befall the run of `seed` in `seconds`, in the order of their beginnings.

    Successive seeds begin with successive kinds, so that a few of them have met all.
    """
    dice = random.Random(f"schedule {seed}")
    ordered = [kind for kind in Kind if kind in kinds]
    number = dice.randint(*count)
    chosen = [ordered[seed % len(ordered)], *dice.choices(ordered, k=number - 1)]
    return sorted(_fault(dice, kind, seconds) for kind in chosen)


def _fault(dice: random.Random, kind: Kind, seconds: float) -> Fault:
    at = round(dice.uniform(0, seconds), 2)
    return Fault(
        at,
        round(at + dice.uniform(*LASTS_S[kind]), 2),
        kind,
        dice.choice(WORKERS),
        dice.choice(list(Damage)),
        dice.randrange(1 << 30),
    )


def starts_with_two(seed: int) -> bool:
    """Tell whether both workers run from the beginning."""
    return random.Random(f"workers {seed}").random() < 0.5
