"""Whether conditions can be true, false or missing at all, over the ranges of the features.

Each case of a condition is a list of facts. The intervals of its numbers are narrowed by them, and by what is
known of the features, until nothing changes; a case in which one becomes empty is impossible. Whatever is not
understood counts as possible, so that "unsatisfiable" is always a proof, and "satisfiable" is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from streams.core.analysis.cases import (
    Case,
    Comparison,
    Known,
    OneOf,
    TooManyCases,
    Want,
    WordVerdict,
    both,
    cases,
)
from streams.core.analysis.intervals import (
    ALL,
    Interval,
    join,
    minus,
    over,
    plus,
    point,
    times,
    whole,
)
from streams.core.analysis.knowledge import CUSTOMERS, Knowledge
from streams.core.conditions import tree as c
from streams.core.conditions.compiler import word_verdict
from streams.core.events.topics import Topic

ROUNDS: Final = 12
"""Times that a case is narrowed at most; stopping early only proves less."""

_POSITIVE: Final = Interval(low=0, low_open=True)
_NOT_POSITIVE: Final = Interval(high=0)
_ARITHMETIC: Final = {"+": plus, "-": minus, "*": times, "/": over}

Asked = tuple[c.Condition, Want]


def satisfiable(*asked: Asked, about: Knowledge = CUSTOMERS) -> bool:
    """Return whether the conditions may all be as asked for one customer; `False` is a proof of the contrary.

    >>> from streams.core.conditions.parser import parse_condition
    >>> from streams.core.features.catalogue import DTYPES
    >>> satisfiable((parse_condition("orders_7d > 3 AND orders_30d < 2", DTYPES), Want.TRUE))
    False
    """
    return next(feasible(*asked, about=about), None) is not None


def satisfiable_after(before: c.Condition, after: c.Condition, about: Knowledge = CUSTOMERS) -> bool:
    """Return whether `after` may become true for a customer for whom `before` was true at an earlier instant.

    >>> from streams.core.conditions.parser import parse_condition
    >>> from streams.core.features.catalogue import DTYPES
    >>> before, after = (parse_condition(f"complaints_total {test}", DTYPES) for test in (">= 3", "< 2"))
    >>> satisfiable_after(before, after)
    False
    """
    growing = [name for name in dict.fromkeys(c.features_of(after)) if not about.can_fall(name)]
    if not growing:
        return satisfiable((after, Want.TRUE), about=about)
    return any(
        satisfiable(
            (after, Want.TRUE), *(_no_less(name, box.interval(name).low) for name in growing), about=about
        )
        for box in feasible((before, Want.TRUE), also=growing, about=about)
    )


def _no_less(name: str, least: float) -> Asked:
    return c.Compare(">=", c.NumericFeature(name), c.Number(least)), Want.NOT_FALSE


def feasible(*asked: Asked, also: Iterable[str] = (), about: Knowledge = CUSTOMERS) -> Iterator[Box]:
    """Yield the numbers of each case that is possible; where there are too many cases, one of all numbers.

    The numbers are those of the features that the conditions read, and of those named in `also`.
    """
    try:
        found = both([cases(condition, want) for condition, want in asked])
    except TooManyCases:
        yield Box((), also, about)
        return
    for case in found:
        box = Box(case, also, about)
        if box.narrowed():
            yield box


class Box:
    """The numbers and words of one case."""

    def __init__(self, case: Case, also: Iterable[str], about: Knowledge) -> None:
        self.about: Final = about
        self.case = case
        self.also: Final = frozenset(also)
        self.ranges: dict[c.Numeric, Interval] = {}
        self.known: set[str] = set(about.always_known)
        self.missing: set[str] = set()
        self.quiet: set[Topic] = set()
        """The topics that must be quiet."""
        self.alive: set[Topic] = set()
        """Those that cannot be."""
        self._above: dict[tuple[c.Numeric, c.Numeric], bool] = {}
        """(low, high) -> whether low is strictly below."""
        self._apart: list[tuple[c.Numeric, c.Numeric]] = []
        self._words: dict[str, list[WordVerdict]] = {}

    def narrowed(self) -> bool:
        """Narrow the numbers; return whether anything is left."""
        for fact in self.case:
            if not self._take(fact):
                return False
        if not self._topics():
            return False
        for _ in range(ROUNDS):
            before = (dict(self.ranges), len(self.known))
            if not self._round():
                return False
            if (self.ranges, len(self.known)) == before:
                break
        return self._strictly_ordered() and self._worded()

    def interval(self, name: str) -> Interval:
        """Return what a feature can be."""
        return self._range(c.NumericFeature(name))

    # -- facts --------------------------------------------------------------------------------------

    def _take(self, fact: object) -> bool:
        match fact:
            case Comparison(op, left, right):
                self._compare(op, left, right)
                return self._know(left) and self._know(right)
            case OneOf(of, values, among):
                if among:
                    self._meet(of, Interval(min(values), max(values)) if values else Interval(1, 0))
                elif values:
                    self._apart += [(of, c.Number(value)) for value in values]
                return self._know(of)
            case Known(of, known):
                return self._know(of) if known else self._miss(of)
            case WordVerdict(test, verdict):
                name = next(c.features_of(test))
                self._words.setdefault(name, []).append(fact)
                if verdict is not None and test.test != "missing" and isinstance(test.of, c.WordFeature):
                    return self._know_feature(name)
        return True

    def _compare(self, op: str, left: c.Numeric, right: c.Numeric) -> None:
        match op:
            case "<" | "<=":
                self._order(left, right, strictly=op == "<")
            case ">" | ">=":
                self._order(right, left, strictly=op == ">")
            case "=":
                self._order(left, right)
                self._order(right, left)
            case "<>":
                self._apart.append((left, right))

    def _order(self, low: c.Numeric, high: c.Numeric, *, strictly: bool = False) -> None:
        self._above[low, high] = strictly or self._above.get((low, high), False)
        self._range(low)
        self._range(high)

    def _know(self, of: c.Numeric) -> bool:
        """Note that a number is known, and with it its parts; return whether that can be."""
        match of:
            case c.NumericFeature(name):
                return self._know_feature(name)
            case c.Arithmetic(_, left, right):
                return self._know(left) and self._know(right)
            case c.FunctionCall(_, inner):
                return self._know(inner)
            case c.Pick("greatest" | "least", several):
                return all(self._know(each) for each in several)
            case c.Null():
                return False
        return True

    def _know_feature(self, name: str) -> bool:
        if name in self.missing:
            return False
        if name in self.about.catalogue:
            self.alive.update(self.about.catalogue[name].reads)
        if name not in self.known:
            self.known.add(name)
            return all(self._know_feature(other) for other in self.about.known_beside(name))
        return True

    def _miss(self, of: c.Numeric) -> bool:
        match of:
            case c.NumericFeature(name):
                self.missing.add(name)
                return name not in self.known and name not in self.about.always_known
            case c.Number():
                return False
        return True

    def _topics(self) -> bool:
        """Apply that all features of a topic are missing while it is quiet; return whether that can be."""
        for name in self.missing & self.about.catalogue.keys():
            feature = self.about.catalogue[name]
            if not feature.may_be_missing:
                silent = [topic for topic in feature.reads if topic not in self.alive]
                if not silent:
                    return False
                if len(silent) == 1:
                    self.quiet.update(silent)
        if self.quiet & self.alive:
            return False
        read = {
            *self.also,
            *(name for fact in self.case for name in c.features_of(fact)),
        } & self.about.catalogue.keys()
        for name in read - self.missing:
            feature = self.about.catalogue[name]
            if not feature.may_be_missing and self.alive.issuperset(feature.reads):
                self.known.add(name)
        return True

    # -- narrowing ----------------------------------------------------------------------------------

    def _range(self, term: c.Numeric) -> Interval:
        found = self.ranges.get(term)
        if found is None:
            found = (
                self.about.range_of(term.name) if isinstance(term, c.NumericFeature) else self._forward(term)
            )
            self.ranges[term] = found
        return found

    def _meet(self, term: c.Numeric, interval: Interval) -> None:
        found = self._range(term).meet(interval)
        if isinstance(term, c.NumericFeature) and self.about.is_whole(term.name):
            found = whole(found)
        self.ranges[term] = found

    def _round(self) -> bool:
        """Apply everything once; return whether no number has become impossible."""
        self._facts_of_features()
        for (low, high), strictly in self._above.items():
            self._meet(
                low,
                Interval(
                    -math.inf, self._range(high).high, high_open=strictly or self._range(high).high_open
                ),
            )
            self._meet(
                high, Interval(self._range(low).low, math.inf, low_open=strictly or self._range(low).low_open)
            )
        for left, right in self._apart:
            for one, other in ((left, right), (right, left)):
                self._keep_apart(one, point(self._range(other)))
        for fact in self.case:
            if isinstance(fact, OneOf) and fact.among:
                fitting = [value for value in fact.values if value in self._range(fact.of)]
                self._meet(fact.of, Interval(min(fitting), max(fitting)) if fitting else Interval(1, 0))
        for term in list(self.ranges):
            self._meet(term, self._forward(term))
            self._backward(term)
        return not any(interval.empty for interval in self.ranges.values())

    def _keep_apart(self, term: c.Numeric, value: float | None) -> None:
        interval = self._range(term)
        if value is not None and value == interval.low:
            self._meet(term, Interval(value, math.inf, low_open=True))
        if value is not None and value == interval.high:
            self._meet(term, Interval(-math.inf, value, high_open=True))

    def _facts_of_features(self) -> None:
        for name in sorted(self.known):
            for other, least in self.about.at_least.get(name, ()):
                # Counts of a quiet source are missing together with what they are counted of.
                self._meet(c.NumericFeature(other), Interval(least, math.inf))
        for fact in self.about.ordered:
            low, high = c.NumericFeature(fact.low), c.NumericFeature(fact.high)
            if fact.low in self.known and fact.high in self.known:
                self._order(low, high, strictly=fact.strictly)
        for name, (above, below) in self.about.ratios.items():
            if name in self.known:
                self._meet(c.NumericFeature(below), _POSITIVE)
                quotient = over(self._range(c.NumericFeature(above)), self._range(c.NumericFeature(below)))
                self._meet(c.NumericFeature(name), quotient)
            elif name in self.missing and above in self.known and below in self.known:
                self._meet(c.NumericFeature(below), _NOT_POSITIVE)
        for window in self.about.windows:
            count, since = c.NumericFeature(window.count), c.NumericFeature(window.since)
            if window.count in self.known and window.since in self.known:
                if self._range(count).low >= 1:
                    self._meet(since, Interval(0, window.longest_ago))
                if self._range(since).high <= window.surely_inside:
                    self._meet(count, Interval(1, math.inf))
                if self._range(count).high < 1:
                    self._meet(since, Interval(window.surely_inside, math.inf))
                if self._range(since).low > window.longest_ago:
                    self._meet(count, Interval(0, 0))

    def _forward(self, term: c.Numeric) -> Interval:
        """Return what a number can be by what its parts can be."""
        match term:
            case c.Number(value):
                return Interval(value, value)
            case c.NumericFeature(name):
                return self.ranges.get(term, self.about.range_of(name))
            case c.Arithmetic(op, left, right):
                a, b = self._range(left), self._range(right)
                return _ARITHMETIC[op](a, b) if op in _ARITHMETIC else ALL
            case c.FunctionCall("abs", of):
                inner = self._range(of)
                ends = (abs(inner.low), abs(inner.high))
                return Interval(0 if 0 in Interval(inner.low, inner.high) else min(ends), max(ends))
            case c.FunctionCall("sign"):
                return Interval(-1, 1)
            case c.FunctionCall("sqrt"):
                return Interval(0, math.inf)
            case c.FunctionCall(function, of) if function in ("ceil", "floor", "round"):
                inner = self._range(of)
                return Interval(inner.low - 1, inner.high + 1)
            case c.Pick(_, of):
                return _around(self._range(each) for each in of)
            case c.CaseNumber(_, then, otherwise):
                return _around(self._range(each) for each in (then, otherwise))
        return ALL

    def _backward(self, term: c.Numeric) -> None:
        """Narrow the parts of a number by what the whole can be."""
        if not isinstance(term, c.Arithmetic):
            return
        result, left, right = self._range(term), self._range(term.left), self._range(term.right)
        match term.op:
            case "+":
                self._meet(term.left, minus(result, right))
                self._meet(term.right, minus(result, left))
            case "-":
                self._meet(term.left, plus(result, right))
                self._meet(term.right, minus(left, result))
            case "*":
                if 0 not in Interval(right.low, right.high):
                    self._meet(term.left, over(result, right))
                if 0 not in Interval(left.low, left.high):
                    self._meet(term.right, over(result, left))
            case "/":
                self._meet(term.left, times(result, right))

    # -- what intervals do not show -----------------------------------------------------------------

    def _strictly_ordered(self) -> bool:
        """Return whether no number must be less than itself, or differ from its equal."""
        terms = list(dict.fromkeys(term for pair in self._above for term in pair))
        reach = dict(self._above)
        for middle in terms:
            for low in terms:
                if (low, middle) not in reach:
                    continue
                for high in terms:
                    if (middle, high) in reach:
                        strictly = reach[low, middle] or reach[middle, high]
                        reach[low, high] = reach.get((low, high), False) or strictly
        if any(reach.get((term, term), False) for term in terms):
            return False
        equal = {pair for pair in reach if (pair[1], pair[0]) in reach}
        return not any(left == right or (left, right) in equal for left, right in self._apart)

    def _worded(self) -> bool:
        """Return whether some word fits all tests of each word feature."""
        return all(self._some_word(name, tests) for name, tests in self._words.items())

    def _some_word(self, name: str, tests: Sequence[WordVerdict]) -> bool:
        candidates: Iterable[str] | None = (
            self.about.catalogue[name].words if name in self.about.catalogue else None
        )
        for worded in tests:
            test = worded.test
            if isinstance(test.of, c.WordFeature) and test.test in ("=", "in") and worded.verdict:
                candidates = test.words if candidates is None else [w for w in candidates if w in test.words]
        if candidates is None:
            return True
        verdicts = [(word_verdict(worded.test), worded.verdict) for worded in tests]
        return any(all(test(word) is wanted for test, wanted in verdicts) for word in (*candidates, None))


def _around(intervals: Iterable[Interval]) -> Interval:
    found: Interval | None = None
    for interval in intervals:
        found = interval if found is None else join(found, interval)
    return found or ALL
