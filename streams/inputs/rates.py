"""A table of exchange rates by day: what one unit of a currency is in the currency of all amounts."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.inputs.money import has_minor_units
from streams.rulebook.reader import Mistake, RulebookRefused

HEADER: Final = ["day", "currency", "rate"]
DAYS_BACK: Final = 7
"""How old a rate may be: banks give none on weekends and holidays."""
MOST_BYTES: Final = 100_000_000
MOST_MISTAKES: Final = 20

TABLE: Final[dict[str, pl.DataType]] = {
    "into": pl.String(),
    "currency": pl.String(),
    "day": pl.Int32(),
    "rate": pl.Float64(),
}
"""The rates as a table: into which currency, from which, the day since 1970-01-01, the rate."""

_NO_DAYS: Final = np.empty(0, dtype=np.int64)
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of currencies by day; two tables are equal where they say the same."""

    currency: str
    """What amounts become."""
    days: dict[str, NDArray[np.int64]] = field(compare=False)
    """By currency, the days with a rate, since 1970-01-01, rising."""
    rates: dict[str, NDArray[np.float64]] = field(compare=False)
    """By currency, the rate of each of these days."""
    digest: str = field(init=False)
    """Names what the table says, whatever the order of its lines."""

    def __post_init__(self) -> None:
        said = hashlib.sha256(self.currency.encode())
        for name in sorted(self.days):
            said.update(f"\n{name} {len(self.days[name])}\n".encode())
            said.update(self.days[name].astype("<i8").tobytes() + self.rates[name].astype("<f8").tobytes())
        object.__setattr__(self, "digest", said.hexdigest())

    @classmethod
    def of_table(cls, table: pl.DataFrame) -> Rates:
        """Return the rates of what `table` gave. Raises `ValueError` where it is something else."""
        if dict(table.schema) != TABLE or table["into"].n_unique() != 1:
            msg = "this is no table of rates"
            raise ValueError(msg)
        parts = table.sort("currency", "day").partition_by("currency", as_dict=True)
        return cls(
            str(table["into"][0]),
            {str(name): part["day"].to_numpy().astype(np.int64) for (name,), part in parts.items()},
            {str(name): part["rate"].to_numpy() for (name,), part in parts.items()},
        )

    def table(self) -> pl.DataFrame:
        """Return them as a table, a row for each day of each currency."""
        names = sorted(self.days)
        columns = {
            "into": pl.repeat(self.currency, sum(map(len, self.days.values())), dtype=pl.String, eager=True),
            "currency": [name for name in names for _ in range(len(self.days[name]))],
            "day": np.concatenate([_NO_DAYS, *(self.days[name] for name in names)]).astype(np.int32),
            "rate": np.concatenate([np.empty(0), *(self.rates[name] for name in names)]),
        }
        return pl.DataFrame(columns, schema=TABLE)

    def of(self, days: NDArray[np.int64], currencies: Sequence[str | None]) -> NDArray[np.float64]:
        """Return the rates (n,) of currencies (n,) on days (n,): the newest of up to a week; NaN for none."""
        found = np.full(len(days), np.nan)
        names = np.array([name or "" for name in currencies], dtype=np.object_)
        for name in set(names.tolist()):
            rows = np.flatnonzero(names == name)
            if name == self.currency:
                found[rows] = 1.0
            elif len(known := self.days.get(name, _NO_DAYS)):
                place = np.searchsorted(known, days[rows], side="right") - 1
                fresh = (place >= 0) & (days[rows] - known[np.maximum(place, 0)] <= DAYS_BACK)
                found[rows[fresh]] = self.rates[name][place[fresh]]
        return found


def read_rates(path: Path, currency: str) -> Rates:
    """Return the rates of a CSV file with the columns day, currency and rate.

    Raises `RulebookRefused` with the first mistakes and their lines, and where it cannot be read.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RulebookRefused([Mistake(str(path), 0, 0, f"is larger than {MOST_BYTES // 1_000_000} MB")])
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _table(str(path), csv.reader(file), currency)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise RulebookRefused([Mistake(str(path), 0, 0, message)]) from None
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"is no CSV in UTF-8: {' '.join(str(error).split())[:200]}"
        raise RulebookRefused([Mistake(str(path), 0, 0, message)]) from None


def _table(path: str, rows: Iterator[list[str]], currency: str) -> Rates:
    """Return the rates of a file's rows, the first of which names the columns."""
    header = [name.strip().lower() for name in next(rows, [])]
    if header != HEADER:
        raise RulebookRefused([Mistake(path, 1, 1, f"must begin with the line {','.join(HEADER)}")])
    found: dict[str, dict[int, float]] = {}
    mistakes: list[Mistake] = []
    for line, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            day, name, rate = _row(row)
            if found.setdefault(name, {}).setdefault(day, rate) != rate:
                msg = "gives another rate for a currency and a day that stand above"
                raise ValueError(msg)
        except ValueError as error:
            mistakes.append(Mistake(path, line, 1, str(error)))
            if len(mistakes) == MOST_MISTAKES:
                break
    if mistakes:
        raise RulebookRefused(mistakes)
    days = {name: np.array(sorted(rates), dtype=np.int64) for name, rates in found.items()}
    rates = {name: np.array([found[name][day] for day in each.tolist()]) for name, each in days.items()}
    return Rates(currency, days, rates)


def _row(row: list[str]) -> tuple[int, str, float]:
    """Return day, currency and rate of a row, or raise `ValueError` with what is wrong."""
    if len(row) != len(HEADER):
        msg = f"has {len(row)} columns, not {', '.join(HEADER)}"
        raise ValueError(msg)
    day, name, written = (cell.strip() for cell in row)
    try:
        number = date.fromisoformat(day).toordinal() - _EPOCH
    except ValueError:
        msg = f"day: {day[:40]!r} is no day such as 2024-03-01"
        raise ValueError(msg) from None
    if not has_minor_units(name.upper()):
        msg = f"currency: {name[:40]!r} is none of ISO 4217"
        raise ValueError(msg)
    try:
        rate = float(written)
    except ValueError:
        rate = math.nan
    if not (math.isfinite(rate) and rate > 0):
        msg = f"rate: {written[:40]!r} is no number greater than 0"
        raise ValueError(msg)
    return number, name.upper(), rate
