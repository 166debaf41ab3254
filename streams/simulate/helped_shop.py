"""A shop whose team acts on its warnings, and whose customers may stay because of it.

The engine is in the loop: each day's events go in, the team works the queue that comes out, and what it does
decides what customers do from the next day on. All follows from the seed, the rules and the settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from streams.contract.decode import decode_lines
from streams.core.decision.plays import Play
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.simulate.population import NEVER, Kind
from streams.simulate.records import ITEMS, frame_of, json_lines
from streams.simulate.seasons import midnights, seasons
from streams.simulate.shop import FRAME_ROWS, Shop
from streams.simulate.team import QueuedWarning, Team
from streams.simulate.timeline import CustomerTimeline, generator
from streams.simulate.truth import truth_of

ACTOR: Final = "team"
HOUR: Final = 3_600_000_000
OPENS, CLOSES = 9 * HOUR, 17 * HOUR
"""The team works between these times after midnight."""
NOT_REACHED: Final = 0.3
"""Share of those who cannot be helped who are not reached either."""


class Effect(StrEnum):
    """What a treatment did."""

    RESCUED = "rescued"
    """The customer was leaving, and stays."""
    LEAVES = "leaves"
    """The customer was leaving, and leaves all the same."""
    STAYS = "stays"
    """The customer was not leaving."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the team did about a customer, and what came of it."""

    at: int
    customer: int
    """Position in the population."""
    warning_id: str
    play: str
    kind: str
    result: str
    cost: Mapping[str, float]
    effect: Effect


class HelpedShop:
    """A shop with a team that calls `capacity` customers a day.

    `effects` is, by play, the chance that a customer who is leaving stays after it; 0 where it is not named.
    A play that did not help a customer does not help at a second try.
    """

    def __init__(self, shop: Shop, engine: Engine, capacity: int, effects: Mapping[str, float]) -> None:
        self._shop = shop
        self._engine = engine
        self._team = Team(capacity, engine.rules.plays)
        self._effects = dict(effects)
        drawn = shop.population
        self._leaving_day = np.where(drawn.kind == Kind.FADER, drawn.fade_day, drawn.left_day)
        self._population = replace(drawn, left_day=drawn.left_day.copy(), fade_day=drawn.fade_day.copy())
        self._midnights = midnights(shop.start, shop.days, ZoneInfo(shop.time_zone))
        self._lot: dict[int, float] = {}
        self._rescued: set[int] = set()
        self.treatments: list[Treatment] = []
        """In the order of time."""

    def frames(self, rows: int = FRAME_ROWS) -> Iterator[pl.DataFrame]:
        """Yield events and actions in order as frames of whole days, each but the last of `rows` at least."""
        gathered: list[pl.DataFrame] = []
        for frame in self.days():
            gathered.append(frame)
            if sum(map(len, gathered)) >= rows:
                yield pl.concat(gathered)
                gathered = []
        if any(len(frame) for frame in gathered):
            yield pl.concat(gathered)

    def days(self) -> Iterator[pl.DataFrame]:
        """Yield each day's events and actions in order; once."""
        shop, people = self._shop, self._population
        timeline = CustomerTimeline(people, self._midnights, seasons(shop.start, shop.days), shop.seed)
        for day, events in enumerate(timeline):
            done = list(self._work(day))
            happened = frame_of(events, people)
            acted = self._frame(done, happened)
            frame = pl.concat([acted, happened.select(pl.all(), *_no_action())]).sort(
                "occurred_at", maintain_order=True
            )
            yield frame
            self._run(frame, int(self._midnights[day + 1]))
            for treatment in done:
                if treatment.effect is Effect.RESCUED:
                    people.left_day[treatment.customer] = people.fade_day[treatment.customer] = NEVER

    def _run(self, frame: pl.DataFrame, midnight: int) -> None:
        """Run the engine over a day, the sweep at its end included."""
        engine = self._engine
        lines = json_lines(frame, with_type=True).cast(pl.Binary).to_list()
        outputs: list[Output] = [
            engine.step(decode_lines(lines, latest_us=None).batch),
            engine.flush(idle=False),
            engine.advance(midnight),
        ]
        for output in outputs:
            self._team.take(output)

    def _work(self, day: int) -> Iterator[Treatment]:
        """Yield what the team does on a day, spread over its working hours."""
        begin = int(self._midnights[day])
        month = datetime.fromtimestamp(begin / 1_000_000, ZoneInfo(self._shop.time_zone)).strftime("%Y-%m")
        called = list(self._team.work(month))
        for number, (queued, play) in enumerate(called):
            at = begin + OPENS + (CLOSES - OPENS) * number // len(called)
            treatment = self._treat(queued, play, at // 1000 * 1000, day)
            self.treatments.append(treatment)
            yield treatment

    def _treat(self, queued: QueuedWarning, play: Play, at: int, day: int) -> Treatment:
        customer = int(queued.customer_id[1:])
        offers = play.cost.gift is not None or play.cost.discount is not None
        if customer not in self._lot:
            self._lot[customer] = float(generator(self._shop.seed, 3, customer).random())
        leaves = bool(self._leaving_day[customer] < day) and customer not in self._rescued
        if not leaves:
            effect = Effect.STAYS
        elif self._lot[customer] < self._effects.get(play.id, 0.0):
            effect = Effect.RESCUED
            self._rescued.add(customer)
        else:
            effect = Effect.LEAVES
        reached = generator(self._shop.seed, 4, len(self.treatments)).random() >= NOT_REACHED
        result = "reached" if reached else "not_reached"
        if effect is Effect.RESCUED:
            result = "accepted" if offers else "will_return"
        elif effect is Effect.LEAVES and reached:
            result = "declined"
        kind = "offer" if offers else "contact"
        return Treatment(at, customer, queued.warning_id, play.id, kind, result, queued.cost, effect)

    def _frame(self, done: list[Treatment], like: pl.DataFrame) -> pl.DataFrame:
        first = len(self.treatments) - len(done)
        rows = [
            {
                "type": "action",
                "event_id": f"a{first + number:09d}",
                "customer_id": f"c{each.customer:07d}",
                "occurred_at": datetime.fromtimestamp(each.at / 1_000_000, UTC),
                "warning_id": each.warning_id,
                "kind": each.kind,
                "play": each.play,
                "result": each.result,
                "actor": ACTOR,
                "cost": {item: each.cost.get(item) for item in ITEMS},
            }
            for number, each in enumerate(done)
        ]
        return pl.DataFrame(rows, schema={**like.schema, **ACTION_SCHEMA})

    def truth(self) -> pl.DataFrame:
        """Return what each customer is like and did, a row each, once the days are over.

        `would_leave_at` is when the customer would have left without a treatment, `left_at` when the customer
        did, `rescued_at` the treatment that changed it; `treatments` has all of them, with their effect.
        """
        drawn, lived = (
            truth_of(people, self._midnights) for people in (self._shop.population, self._population)
        )
        numbers: dict[int, list[Treatment]] = {}
        for each in self.treatments:
            numbers.setdefault(each.customer, []).append(each)
        lists = [numbers.get(customer, []) for customer in range(len(drawn))]
        rescued = [next((t.at for t in own if t.effect is Effect.RESCUED), None) for own in lists]
        treatments = [
            [
                {"at": t.at, "warning_id": t.warning_id, "play": t.play, "kind": t.kind, "result": t.result}
                | {"effect": str(t.effect)}
                for t in own
            ]
            for own in lists
        ]
        instant = pl.Datetime("us", "UTC")
        words = dict.fromkeys(("warning_id", "play", "kind", "result", "effect"), pl.String)
        return drawn.select(
            pl.exclude("left_at", "left", "holidays"),
            pl.col("left_at").alias("would_leave_at"),
            lived["left_at"],
            lived["left"],
            pl.Series("rescued_at", rescued, pl.Int64).cast(instant),
            pl.Series("treatments", treatments, pl.List(pl.Struct({"at": pl.Int64, **words}))).list.eval(
                pl.element().struct.with_fields(pl.field("at").cast(instant))
            ),
            pl.col("holidays"),
        )


ACTION_SCHEMA: Final[dict[str, pl.DataType]] = {
    **{name: pl.String() for name in ("warning_id", "kind", "play", "result", "actor")},
    "cost": pl.Struct(dict.fromkeys(ITEMS, pl.Float64)),
}


def _no_action() -> list[pl.Expr]:
    """Return the columns of actions for events that are none."""
    return [pl.lit(None, dtype).alias(name) for name, dtype in ACTION_SCHEMA.items()]
