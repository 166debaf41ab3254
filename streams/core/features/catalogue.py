"""The catalogue: every feature with its name, unit, definition and the column it yields."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.conditions.columns import RuleColumns, WordCodes
from streams.core.events.batch import MILLION
from streams.core.events.calendar import ALWAYS, DAY, NEVER
from streams.core.events.topics import Topic
from streams.core.features.customers import ATTRIBUTES, LAST_OF, PROFILE_WORDS
from streams.core.features.rhythm import active_weeks, gap_deviation, histories, last_gap
from streams.core.features.value import values
from streams.core.features.view import View, since
from streams.core.features.words import word_columns

CLASSES: Final = ("key", "ordinary", "small", "problem")
"""What the contract accepts as `customer_class`; other words are the business's own."""
ORDERS, LOGINS, COMPLAINTS = Topic.ORDERS, Topic.LOGINS, Topic.COMPLAINTS
Column = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Priors:
    """The prior of the complaint rate, which counts where a customer has few orders."""

    orders: float = 5.0
    """The number of orders that the prior weighs as much as."""
    rate: float = 0.02
    """Complaints per order."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the catalogue."""

    name: str
    unit: str
    definition: str
    compute: Callable[[Features], Column]
    dtype: type[pl.DataType] = pl.Float64
    history_days: int | None = None
    """Local days of history it needs; `None` for the whole."""
    reads: tuple[Topic, ...] = ()
    """The topics without which it is missing; while a topic is quiet, all that read it are."""
    may_be_missing: bool = False
    """Whether it is missing for some customers while its topics are not quiet."""
    low: float = -math.inf
    """The least value that it can have where it is known."""
    high: float = math.inf
    """The greatest one."""
    can_fall: bool = True
    """Whether it can become less than it was."""
    ratio: tuple[str, str] | None = None
    """Where it is a ratio of two other features, these: missing where the second one is not positive."""
    words: tuple[str, ...] | None = None
    """The words that it can be; `None` where any can come, and for numbers."""

    @property
    def is_whole(self) -> bool:
        """Return whether it is a count."""
        return self.dtype is pl.Int64

    @property
    def always_known(self) -> bool:
        """Return whether it is never missing, whichever topic is quiet."""
        return not self.may_be_missing and not self.reads


class Features:
    """Features of a view's rows, each computed once, when it is first read."""

    def __init__(self, view: View, priors: Priors) -> None:
        self.view = view
        self.priors = priors
        self._computed: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.view)

    def knows(self, name: str) -> bool:
        """Return whether a feature's column is there already."""
        return name in self._computed

    def put(self, name: str, values: Column) -> None:
        """Set the column of a feature that is computed elsewhere, such as the score."""
        self._computed[name] = values

    def __getitem__(self, name: str) -> Column:
        """Return a feature's column, (n,): integers, or floats with NaN for missing; codes for a word."""
        values = self._computed.get(name)
        if values is None:
            feature = CATALOGUE.get(name) or WORD_CLASSES[name]
            values = self._without_quiet(feature, feature.compute(self))
            self._computed[name] = values
        return values

    def _without_quiet(self, feature: Feature, values: Column) -> Column:
        if not self.view.any_quiet:
            return values
        for topic in feature.reads:
            quiet = self.view.any_quiet.get(topic)
            if quiet is not None:
                if feature.dtype is pl.String:
                    values = np.where(quiet, 0, values)
                else:
                    values = np.where(quiet, np.nan, values.astype(np.float64))
        return values

    def series(self, name: str) -> pl.Series:
        """Return a feature's column as rules read it: missing is null."""
        return self._as_read(name, self[name])

    def series_at(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        """Return a feature at some rows as rules read it."""
        return self._as_read(name, self[name][rows])

    def _as_read(self, name: str, values: Column) -> pl.Series:
        dtype = CATALOGUE[name].dtype
        if dtype is pl.String:
            return self.view.customers.vocabulary.series()[values].alias(name)
        if values.dtype.kind == "f":
            series = pl.Series(name, values, nan_to_null=True)
            return series if dtype is pl.Float64 else series.cast(dtype)
        return pl.Series(name, values.astype(np.int64 if dtype is pl.Int64 else np.float64))

    def frame(self, names: tuple[str, ...]) -> pl.DataFrame:
        """Return the features `names` as a frame of `len(self)` rows."""
        return pl.DataFrame([self.series(name) for name in names])

    def columns(self, names: tuple[str, ...]) -> RuleColumns:
        """Return the features `names` as conditions read them."""
        words = self.view.customers.words
        read: dict[str, Column | WordCodes] = {}
        for name in names:
            is_word = CATALOGUE[name].dtype is pl.String
            read[name] = WordCodes(words, self[name]) if is_word else self[name]
        return RuleColumns(len(self), read)

    def at(self, rows: NDArray[np.int64]) -> FeaturesAt:
        """Return the features of the rows at the positions `rows` alone."""
        return FeaturesAt(self, rows)

    def word(self, name: str, row: int) -> str | None:
        """Return a feature that is a word at one row, `None` where it is missing."""
        return self.view.customers.words[int(self[name][row])]

    def value(self, name: str, row: int) -> int | float | str | None:
        """Return one feature at one row as a plain value, `None` where it is missing."""
        dtype = CATALOGUE[name].dtype
        if dtype is pl.String:
            return self.word(name, row)
        value: int | float = self[name].item(row)
        if value != value:
            return None
        return int(value) if dtype is pl.Int64 else float(value)


@dataclass(frozen=True, slots=True)
class FeaturesAt:
    """Some rows of features."""

    features: Features
    rows: NDArray[np.int64]

    def __getitem__(self, name: str) -> Column:
        return self.features[name][self.rows]


def _state(name: str) -> Callable[[Features], Column]:
    return lambda f: f.view.column(name)


def _money(name: str) -> Callable[[Features], Column]:
    return lambda f: f.view.column(name) / MILLION


def _since(name: str) -> Callable[[Features], Column]:
    return lambda f: since(f.view.at, f.view.column(name))


def _since_anyone(topic: Topic) -> Callable[[Features], Column]:
    return lambda f: since(f.view.at, f.view.newest(topic))


def _ratio(above: Column, below: Column) -> Column:
    """Return the quotient, NaN where `below` is not positive or either is missing."""
    result = np.full(len(below), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _trend(name: str) -> Callable[[Features], Column]:
    return lambda f: _ratio(f.view.column(f"{name}_30d"), f.view.column(f"{name}_prev_30d"))


def _order_gap_mean(f: Features) -> Column:
    days = f.view.column("order_days")
    span = f.view.column("last_order_day").astype(np.int64) - f.view.column("first_order_day")
    return np.where(days > 1, _ratio(span, days - 1), np.nan)


def _complaint_rate(f: Features) -> Column:
    k, r = f.priors.orders, f.priors.rate
    return _ratio(f.view.column("complaints_90d") + k * r, f.view.column("orders_90d") + k)


def _oldest_complaint(f: Features) -> Column:
    opened = f.view.column("oldest_complaint")
    return since(f.view.at, np.where(opened == ALWAYS, NEVER, opened))


def _answer_mean(window: str) -> Callable[[Features], Column]:
    return lambda f: _ratio(
        f.view.column(f"answer_sum_{window}") / MILLION, f.view.column(f"answers_{window}")
    )


def _answer_trend(f: Features) -> Column:
    return _ratio(_answer_mean("30d")(f), _answer_mean("prev_30d")(f))


def _to_contract_end(f: Features) -> Column:
    return -since(f.view.at, f.view.column("contract_ends_at"))


def _silent_for(f: Features) -> Column:
    customers = f.view.customers
    last = reduce(np.maximum, (f.view.column(LAST_OF[topic]) for topic in customers.activity))
    horizons = since(f.view.at, last) * (DAY / customers.horizon_us)
    unknown = f.view.column("closed_at") > last
    for topic in customers.activity:
        unknown = unknown | f.view.quiet.get(topic, False)
    return np.where(unknown, np.nan, horizons)


def _overdue(f: Features) -> Column:
    return _ratio(f["days_since_order"], f["order_gap_mean"])


def _satisfaction(f: Features) -> Column:
    return _ratio(f.view.column("rating_sum_90d"), f.view.column("ratings_90d"))


def _answer_days(f: Features) -> Column:
    return _ratio(f.view.column("answer_time_90d") / DAY, f.view.column("first_answers_90d"))


def _resolution_days(f: Features) -> Column:
    return _ratio(f.view.column("solution_time_90d") / DAY, f.view.column("solutions_90d"))


def _return_rate(f: Features) -> Column:
    return _ratio(f.view.column("returns_90d"), f.view.column("orders_90d"))


def _not_given(f: Features) -> Column:
    return np.full(len(f), np.nan)


def _churn_lift(f: Features) -> Column:
    ranks = f.view.customers.ranks
    return _not_given(f) if ranks is None else ranks.lift(f["churn_probability"])


def _churn_rank(f: Features) -> Column:
    ranks = f.view.customers.ranks
    return _not_given(f) if ranks is None else ranks.rank(f["churn_probability"])


def _int(unit: str, topic: Topic, name: str, definition: str, days: int | None) -> Feature:
    can_fall = not name.endswith("_total")
    return Feature(name, unit, definition, _state(name), pl.Int64, days, (topic,), low=0, can_fall=can_fall)


def _float(
    name: str,
    unit: str,
    definition: str,
    compute: Callable[[Features], Column],
    reads: tuple[Topic, ...],
    days: int | None = None,
    *,
    missing: bool = True,
    low: float = -math.inf,
    high: float = math.inf,
    can_fall: bool = True,
    ratio: tuple[str, str] | None = None,
) -> Feature:
    return Feature(
        name, unit, definition, compute, pl.Float64, days, reads, missing, low, high, can_fall, ratio
    )


def _windows() -> Iterator[Feature]:
    """Yield what is counted and summed over days."""
    for days in (7, 30, 90):
        text = f"placed orders in the last {days} days"
        yield _int("orders", ORDERS, f"orders_{days}d", text, days)
    for days in (7, 30, 90):
        name = f"spend_{days}d"
        text = f"net spend in the last {days} days: placed, less cancelled or returned, each on its own day"
        yield _float(name, "currency", text, _money(name), (ORDERS,), days, missing=False)
    for days in (7, 30, 90):
        yield _int("logins", LOGINS, f"logins_{days}d", f"logins in the last {days} days", days)
    for days in (30, 90):
        text = f"complaints opened or reopened in the last {days} days"
        yield _int("complaints", COMPLAINTS, f"complaints_{days}d", text, days)
    for suffix, text, history in (
        ("prev_30d", "over days 31 to 60 back", 60),
        ("total", "since the first event", None),
    ):
        yield _int("orders", ORDERS, f"orders_{suffix}", f"placed orders {text}", history)
        name = f"spend_{suffix}"
        yield _float(name, "currency", f"net spend {text}", _money(name), (ORDERS,), history, missing=False)
        yield _int("logins", LOGINS, f"logins_{suffix}", f"logins {text}", history)
        text = f"complaints opened or reopened {text}"
        yield _int("complaints", COMPLAINTS, f"complaints_{suffix}", text, history)


def _rhythm() -> Iterator[Feature]:
    """Yield how long it has been, and how long it used to be."""
    text = "fractional days since the customer's first event"
    yield _float("tenure_days", "days", text, _since("first_at"), (), missing=False, low=0, can_fall=False)
    for thing, topic in (("order", ORDERS), ("login", LOGINS), ("complaint", COMPLAINTS)):
        text = f"fractional days since the last {thing}; missing if there was none"
        yield _float(f"days_since_{thing}", "days", text, _since(f"last_{thing}"), (topic,), low=0)
        text = (
            f"fractional days since the newest {thing} event of anyone in the partition; missing before one"
        )
        yield _float(f"days_since_any_{thing}", "days", text, _since_anyone(topic), (topic,), low=0)
    text = "mean days between consecutive days with a placed order, ever; missing below two such days"
    yield _float("order_gap_mean", "days", text, _order_gap_mean, (ORDERS,), low=1)
    yield _float(
        *("overdue", "ratio", "days_since_order / order_gap_mean", _overdue, (ORDERS,)),
        low=0,
        ratio=("days_since_order", "order_gap_mean"),
    )
    for name, measure, topic, low in (
        ("order_trend", "orders", ORDERS, 0),
        ("login_trend", "logins", LOGINS, 0),
        ("spend_trend", "spend", ORDERS, -math.inf),
    ):
        text = (
            f"{measure} of the last 30 days over those of the 30 before;"
            " missing where the latter are not positive"
        )
        both = (f"{measure}_30d", f"{measure}_prev_30d")
        yield _float(name, "ratio", text, _trend(measure), (topic,), 60, low=low, ratio=both)
    text = (
        "time since the last activity over the horizon: from 1 on a customer without activity has churned;"
        " missing before the first activity and after a closure"
    )
    yield _float("silence", "horizons", text, _silent_for, (), low=0)


def _experience() -> Iterator[Feature]:
    """Yield complaints, returns and answers."""
    text = "(complaints_90d + k r) / (orders_90d + k): k orders at rate r as a prior; missing where 0 / 0"
    both = (COMPLAINTS, ORDERS)
    yield _float("complaint_rate_90d", "complaints per order", text, _complaint_rate, both, 90, low=0)
    text = "complaints open by their id; exact up to 8 open at once"
    yield _int("complaints", COMPLAINTS, "open_complaints", text, None)
    text = "fractional days since the oldest open complaint was opened; missing if none is"
    yield _float("oldest_open_complaint_days", "days", text, _oldest_complaint, (COMPLAINTS,), low=0)
    for thing, topic in (("order", ORDERS), ("login", LOGINS)):
        text = f"fractional days since the first complaint that no {thing} has followed; missing if none is"
        name = f"complaint_without_{thing}"
        yield _float(f"{name}_days", "days", text, _since(name), (COMPLAINTS, topic), low=0)
    text = "mean satisfaction with complaints resolved in the last 90 days; missing if none is rated"
    yield _float("handling_satisfaction_90d", "mark", text, _satisfaction, (COMPLAINTS,), 90, low=1, high=5)
    text = "mean days from the opening of complaints to their first answer, over those of the last 90 days"
    yield _float(
        "answer_days_90d", "days", f"{text}; missing without any", _answer_days, (COMPLAINTS,), 90, low=0
    )
    text = "mean days from the opening of complaints to their resolution, over those of the last 90 days"
    name = "resolution_days_90d"
    yield _float(name, "days", f"{text}; missing without any", _resolution_days, (COMPLAINTS,), 90, low=0)
    yield _int("orders", ORDERS, "returns_90d", "orders cancelled or returned in the last 90 days", 90)
    text = "returns_90d / orders_90d; missing without orders"
    ratio = ("returns_90d", "orders_90d")
    yield _float("return_rate_90d", "ratio", text, _return_rate, (ORDERS,), 90, low=0, ratio=ratio)
    text = "mean of score / scale in the last 90 days; missing without answers"
    reads = (Topic.FEEDBACK,)
    yield _float("feedback_mean_90d", "share", text, _answer_mean("90d"), reads, 90, low=0, high=1)
    text = "mean answer of the last 30 days over that of the 30 before, if positive; missing without either"
    yield _float("feedback_trend", "ratio", text, _answer_trend, reads, 60, low=0)


def _silence(name: str) -> Callable[[Features], Column]:
    """Return a column of the buying model: missing before its first fit and while a source is quiet."""

    def compute(f: Features) -> Column:
        view = f.view
        model = view.customers.buying
        if model is None:
            return np.full(len(f), np.nan)
        known = histories(view)
        alive = model.p_alive(known)
        values: dict[str, Column] = {"p_alive": alive, "p_silent": model.p_silent(known, alive)}
        for topic in view.customers.activity:
            quiet = view.quiet.get(topic, False)
            if np.any(quiet):
                values = {each: np.where(quiet, np.nan, column) for each, column in values.items()}
        for each, column in values.items():
            f.put(each, column)
        return values[name]

    return compute


def _buying() -> Iterator[Feature]:
    """Yield the rhythm of order days, and what the buying model makes of it."""
    text = (
        "standard deviation of the gaps between days with a placed order, ever; missing below three such days"
    )
    yield _float("order_gap_std", "days", text, lambda f: gap_deviation(f.view), (ORDERS,), low=0)
    text = "the newest gap between days with a placed order; missing below two such days"
    yield _float("last_gap", "days", text, lambda f: last_gap(f.view), (ORDERS,), low=1)
    for count in (12, 26):
        text = f"of the last {count} blocks of 7 days, today's the last, those with a placed order"
        compute = partial(_active_weeks, count=count)
        name = f"active_weeks_{count}"
        yield Feature(name, "weeks", text, compute, pl.Int64, 7 * count, (ORDERS,), low=0, high=count)
    text = "the buying model's probability that the customer is still active; missing before its first fit"
    yield _float("p_alive", "probability", text, _silence("p_alive"), (), low=0, high=1)
    text = "the buying model's probability of no activity within the horizon; missing before its first fit"
    yield _float("p_silent", "probability", text, _silence("p_silent"), (), low=0, high=1)


def _active_weeks(f: Features, count: int) -> Column:
    return active_weeks(f.view, count)


def _profile() -> Iterator[Feature]:
    """Yield what the profile holds."""
    for name in PROFILE_WORDS:
        text = f"{name.replace('_', ' ')} in the newest profile by event time"
        words = CLASSES if name == "customer_class" else None
        topics = (Topic.PROFILES,)
        yield Feature(name, "word", text, _state(name), pl.String, None, topics, True, words=words)
    text = "fractional days until the contract in the newest profile ends; negative after it"
    yield _float("days_to_contract_end", "days", text, _to_contract_end, (Topic.PROFILES,))
    # The score is a column like any other; the engine gives it where a model is ready.
    text = "the model's calibrated score; missing until the model is ready"
    yield _float("churn_probability", "probability", text, _not_given, (), low=0, high=1)
    text = "churn_probability over its mean among the partition's active customers at the last sweep"
    yield _float("churn_lift", "times the mean", text, _churn_lift, (), low=0)
    text = "the share of those customers whose churn_probability is higher: 0 for the most endangered"
    yield _float("churn_rank", "share", text, _churn_rank, (), low=0, high=1)


def _value() -> Iterator[Feature]:
    """Yield what a customer is worth."""
    text = (
        "expected margin over `value_horizon` of a customer who stays (revenue while `margin` is 1): expected"
        " order days times the mean spend of one; missing without an order and before the buying model's"
        " first fit"
    )
    yield _float("value", "currency", text, lambda f: values(f.view), (ORDERS,))
    text = "churn_probability times value; missing where either is"
    yield _float("value_at_risk", "currency", text, _value_at_risk, (ORDERS,))


def _value_at_risk(f: Features) -> Column:
    return f["churn_probability"] * f["value"]


CATALOGUE: Final[dict[str, Feature]] = {
    feature.name: feature
    for feature in (*_windows(), *_rhythm(), *_buying(), *_experience(), *_profile(), *_value())
}
"""Every feature by its name, in the order of the documentation."""


def _class_of(name: str, time: int) -> Callable[[Features], Column]:
    return lambda f: f.view.customers.vocabulary.classes()[f[name], time]


WORD_CLASSES: Final[dict[str, Feature]] = {
    column: Feature(column, "class", "", _class_of(name, time), pl.Float64, None, (Topic.PROFILES,), True)
    for name in ATTRIBUTES
    for time, column in enumerate(word_columns(name))
}
"""What the model can read of words, beside the catalogue."""

DTYPES: Final[dict[str, type[pl.DataType]]] = {name: feature.dtype for name, feature in CATALOGUE.items()}
"""What rules are compiled against."""

RANKS: Final = frozenset({"churn_lift", "churn_rank"})
"""What compares a score with those of the other customers."""
SCORES: Final = RANKS | {"churn_probability", "value_at_risk"}
"""What the model gives, alone or with others."""
