import json
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.features.catalogue import DTYPES
from streams.core.model.logistic import (
    ALL_INPUTS,
    INPUTS,
    KNOTS,
    SILENCE,
    SLOTS,
    Input,
    Model,
    Transform,
    design,
    places,
)
from streams.core.model.reasons import TEXTS, Group
from streams.core.steps import Reason, Value

A = Input("log(a)", "orders_30d", Transform.LOG, 0.0, 6.0, Group.ACTIVITY)
B = Input("log(b)", "complaints_90d", Transform.LOG, 0.0, 6.0, Group.SERVICE, "complaints_90d")
C = Input("log(c)", "complaints_total", Transform.LOG, 0.0, 6.0, Group.SERVICE, "complaints_total")

finite = st.floats(-1e9, 1e9)
perhaps_missing = st.one_of(finite, st.just(math.nan))


def model_of(m: int, seed: int = 0) -> Model:
    rng = np.random.default_rng(seed)
    return Model("test", True, INPUTS[:m], rng.normal(0, 1, (m, SLOTS)), -0.7, 0.25)


def matrix_of(n: int, m: int, seed: int = 0, missing: float = 0.2) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    x = rng.normal(2, 2, (n, m))
    x[rng.random((n, m)) < missing] = np.nan
    return x


def slow_logit(model: Model, row: list[float]) -> float:
    logit = model.bias + model.level
    for value, each, weight in zip(row, model.inputs, model.weight.tolist(), strict=True):
        if not math.isfinite(value):
            logit += weight[KNOTS]
            continue
        knots = np.linspace(each.low, each.high, KNOTS)
        logit += float(np.interp(value, knots, weight[:KNOTS]))
    return float(logit)


def test_inputs_are_numeric_features_of_the_catalogue() -> None:
    assert 30 <= len(INPUTS) <= 50
    assert len({i.name for i in INPUTS}) == len({i.feature for i in INPUTS}) == len(INPUTS)
    for wanted in INPUTS:
        assert DTYPES[wanted.feature] in (pl.Int64, pl.Float64)


def test_inputs_say_what_customers_did_and_not_what_they_are() -> None:
    assert not {i.feature for i in INPUTS} & {
        "customer_class",
        "segment",
        "region",
        "origin",
        "churn_probability",
    }


@pytest.mark.parametrize(
    ("transform", "value", "expected"),
    [
        (Transform.LOG, 0.0, 0.0),
        (Transform.LOG, math.e - 1, 1.0),
        (Transform.LOG, -(math.e - 1), -1.0),
        (Transform.LOGIT, 0.5, 0.0),
        (Transform.LOGIT, 1.0, math.log(9999)),
        (Transform.LOGIT, 0.0, -math.log(9999)),
        (Transform.LOG, -1e300, -math.log1p(1e12)),
        (Transform.LOG, math.nan, None),
        (Transform.LOGIT, math.nan, None),
        (Transform.LOG, math.inf, None),
        (Transform.LOGIT, math.inf, None),
        (Transform.LOGIT, -math.inf, None),
    ],
)
def test_transform(transform: Transform, value: float, expected: float | None) -> None:
    [result] = transform.apply(np.array([value])).tolist()
    if expected is None:
        assert math.isnan(result)
    else:
        assert result == pytest.approx(expected)


def test_design_reads_integers_and_floats_and_leaves_its_sources_alone() -> None:
    counts, chances = np.array([0, 3, 7], dtype=np.int32), np.array([0.5, math.nan, 0.25])
    silent = INPUTS[SILENCE]
    x = design({"orders_30d": counts, "p_silent": chances}, (A, silent))
    expected = np.array([[0.0, 0.0], [math.log(4), math.nan], [math.log(8), -math.log(3)]])
    np.testing.assert_allclose(x, expected, atol=1e-12)
    assert counts.tolist() == [0, 3, 7]
    np.testing.assert_array_equal(chances, [0.5, math.nan, 0.25])


def test_design_of_nobody() -> None:
    assert design({i.feature: np.empty(0) for i in INPUTS}).shape == (0, len(INPUTS))
    assert model_of(len(INPUTS)).score(np.empty((0, len(INPUTS)))).shape == (0,)


@given(st.lists(st.tuples(perhaps_missing, perhaps_missing, perhaps_missing), min_size=1, max_size=20))
def test_score_is_that_of_the_slow_twin(rows: list[tuple[float, float, float]]) -> None:
    model = model_of(3)
    scores = model.score(np.array(rows))
    for row, score in zip(rows, scores.tolist(), strict=True):
        assert score == pytest.approx(1 / (1 + math.exp(-slow_logit(model, list(row)))), rel=1e-9, abs=1e-12)


@settings(max_examples=20)
@given(n=st.integers(1, 9000), start=st.integers(0, 8999), length=st.integers(1, 70), seed=st.integers(0, 99))
def test_a_row_scores_the_same_to_the_last_bit_in_any_company(
    n: int, start: int, length: int, seed: int
) -> None:
    part = slice(start % n, start % n + length)
    columns = {i.feature: np.random.default_rng(seed).gamma(1, 20, n) for i in INPUTS}
    model = model_of(len(INPUTS))
    whole = model.score(design(columns))[part]
    alone = model.score(design({name: column[part] for name, column in columns.items()}))
    assert whole.tobytes() == alone.tobytes()
    assert alone.tobytes() == model.score(np.ascontiguousarray(design(columns)[part])).tobytes()


@given(seed=st.integers(0, 1000), n=st.sampled_from([1, 50, 300]))
def test_log_odds_of_places_are_those_of_the_rows_to_the_last_bit(seed: int, n: int) -> None:
    model, x = model_of(len(INPUTS), seed), matrix_of(n, len(INPUTS), seed)
    low, high = np.array([(i.low, i.high) for i in INPUTS]).T
    knot, way = places(x, low, high)
    before = way.copy()
    assert model.logit_between(knot.astype(np.uint8), way).tobytes() == model.logit(x).tobytes()
    assert way.tobytes() == before.tobytes()  # others read it, too


@given(seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.3, 1.0]))
def test_contributions_and_bias_add_up_to_the_logit_exactly(seed: int, missing: float) -> None:
    model = model_of(len(INPUTS), seed)
    x = matrix_of(50, len(INPUTS), seed, missing)
    for logit, shares in zip(model.logit(x).tolist(), model.contributions(x).tolist(), strict=True):
        total = model.base
        for share in shares:
            total += share
        assert total == logit


@given(
    st.lists(
        st.tuples(
            *[st.one_of(st.floats(-1e300, 1e300), st.sampled_from([math.nan, math.inf, -math.inf]))] * 3
        ),
        min_size=1,
        max_size=10,
    )
)
def test_score_is_a_probability_whatever_comes_in(rows: list[tuple[float, ...]]) -> None:
    scores = model_of(3).score(np.array(rows))
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def linear(slope: float, *, bias: float = 0.0, inputs: tuple[Input, ...] = (A,)) -> Model:
    """A model whose shares are `slope` for each unit of an input from its middle, 3, on."""
    knots = (np.linspace(0.0, 6.0, KNOTS) - 3.0) * slope
    return Model("v", True, inputs, np.tile(np.append(knots, 0.0), (len(inputs), 1)), bias)


@pytest.mark.parametrize("rows", [2, 3, 5, 64, 257, 3000])
def test_the_score_of_a_row_does_not_depend_on_the_rows_beside_it(rows: int) -> None:
    model, x = model_of(len(INPUTS), rows), matrix_of(rows, len(INPUTS), rows)
    together = model.logit(x)
    for row in range(0, rows, max(1, rows // 20)):
        assert model.logit(x[row : row + 1]).tobytes() == together[row : row + 1].tobytes()
        assert model.logit(x[row : row + 7]).tobytes() == together[row : row + 7].tobytes()


def reasons_of(
    model: Model, row: NDArray[np.float64], values: Mapping[str, Value], limit: int = 3
) -> tuple[Reason, ...]:
    """Return the reasons of a row, given between rows of others."""
    x = np.stack([np.full_like(row, 3.0), row, np.full_like(row, np.nan)])
    of_rows = model.reasons(x, lambda name, row: values[name] if row == 1 else 1, limit)
    assert len(of_rows) == 3
    assert model.reasons(row[np.newaxis], lambda name, row: values[name], limit) == [of_rows[1]]
    return of_rows[1]


def test_a_sure_score_neither_overflows_nor_loses_the_small_side() -> None:
    low, middle, high = linear(1000.0).score(np.array([[0.0], [3.0], [6.0]])).tolist()
    assert (low, middle, high) == (0.0, 0.5, 1.0)
    assert linear(12.0).score(np.array([[0.0]]))[0] == pytest.approx(math.exp(-36), rel=1e-9)


def test_no_input_moves_the_score_beyond_its_range() -> None:
    shares = linear(1.0).contributions(np.array([[5.0], [6.0], [7.0], [-9.0], [math.nan]]))[:, 0]
    np.testing.assert_allclose(shares, [2.0, 3.0, 3.0, -3.0, 0.0], atol=1e-12)


def test_the_level_moves_all_alike() -> None:
    model, x = model_of(5), matrix_of(50, 5)
    moved = replace(model, level=model.level + 1.5)
    np.testing.assert_allclose(moved.logit(x), model.logit(x) + 1.5)


def test_reasons_are_groups_of_inputs_that_raise_the_score_most() -> None:
    model = linear(1.0, inputs=(A, B, C))
    values: dict[str, Value] = {"orders_30d": 2, "complaints_90d": 3, "complaints_total": 4}
    row = np.array([4.0, 5.0, 4.5])
    first, second = reasons_of(model, row, values)
    assert first == Reason("complaints_90d", 3.5, 3, "service", "3 complaints in 90 days")
    assert second == Reason("orders_30d", 1.0, 2, "activity", "2 orders in 30 days")
    assert reasons_of(model, row, values, limit=1) == (first,)


def test_what_a_customer_does_not_have_is_no_reason() -> None:
    model = linear(1.0, inputs=(A, B, C))
    values: dict[str, Value] = {"orders_30d": None, "complaints_90d": 0, "complaints_total": 0}
    row = np.array([5.0, 5.0, 5.0])
    assert reasons_of(model, row, values) == ()
    assert [r.feature for r in reasons_of(model, row, values | {"complaints_total": 2})] == [
        "complaints_total"
    ]


def test_what_lowers_the_score_is_no_reason() -> None:
    values: dict[str, Value] = {"orders_30d": 2, "complaints_90d": 3, "complaints_total": 4}
    assert reasons_of(linear(-1.0, inputs=(A, B, C)), np.array([5.0, 5.0, 5.0]), values) == ()


def test_every_input_can_be_said_in_words() -> None:
    assert set(TEXTS) == {i.feature for i in ALL_INPUTS}
    for each in ALL_INPUTS:
        assert TEXTS[each.feature].format(1)
        assert each.needs is None or each.needs in DTYPES


def test_a_model_survives_json_bit_for_bit() -> None:
    model = model_of(len(INPUTS))
    again = Model.from_dict(json.loads(json.dumps(model.to_dict())))
    x = matrix_of(100, len(INPUTS))
    assert again.score(x).tobytes() == model.score(x).tobytes()
    assert again.to_dict() == model.to_dict()
    assert (again.version, again.ready, again.inputs) == ("test", True, INPUTS)


@pytest.mark.parametrize("rows", [1, 300, 20_000])
def test_scores_of_columns_are_those_of_the_matrix_to_the_last_bit(rows: int) -> None:
    rng = np.random.default_rng(rows)
    columns: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {}
    for each in INPUTS:
        if rng.random() < 0.3:  # of a topic without events
            one = rng.choice([0.0, 3.0, 0.25, np.nan])
            columns[each.feature] = np.full(rows, one) if rng.random() < 0.5 else np.full(rows, 7)
        elif DTYPES[each.feature] is pl.Int64 and rng.random() < 0.8:
            columns[each.feature] = rng.integers(-2, 400, rows)
        else:  # a count is no whole number where its topic is quiet
            values = rng.random(rows) if each.transform is Transform.LOGIT else rng.exponential(40, rows)
            values[rng.random(rows) < 0.2] = np.nan
            columns[each.feature] = values
    model = model_of(len(INPUTS), seed=3)
    expected = model.score(design(columns))
    assert model.score_columns(columns, rows).tolist() == expected.tolist()
    shifted = replace(model, level=-1.5)
    assert shifted.score_columns(columns, rows).tolist() == shifted.score(design(columns)).tolist()
