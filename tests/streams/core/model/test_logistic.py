import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.features.catalogue import DTYPES
from streams.core.model.logistic import INPUTS, Input, Model, Transform, design
from streams.core.steps import Reason, Value

A = Input("log(a)", "a", Transform.LOG)
B = Input("ratio(b)", "b", Transform.RATIO)
C = Input("ratio(c)", "c", Transform.RATIO)

finite = st.floats(-1e9, 1e9)
perhaps_missing = st.one_of(finite, st.just(math.nan))


def model_of(m: int, seed: int = 0) -> Model:
    rng = np.random.default_rng(seed)
    return Model(
        version="test",
        ready=True,
        inputs=INPUTS[:m],
        mean=rng.normal(2, 1, m),
        scale=rng.uniform(0.1, 3, m),
        weight=rng.normal(0, 1, m),
        bias=-0.7,
        limit=8.0,
    )


def matrix_of(n: int, m: int, seed: int = 0, missing: float = 0.2) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    x = rng.normal(2, 2, (n, m))
    x[rng.random((n, m)) < missing] = np.nan
    return x


def slow_logit(model: Model, row: list[float]) -> float:
    logit = model.bias
    for value, mean, scale, weight in zip(row, model.mean, model.scale, model.weight, strict=True):
        if math.isfinite(value):
            logit += weight * max(-model.limit, min(model.limit, (value - mean) / scale))
    return float(logit)


def test_inputs_are_numeric_features_of_the_catalogue() -> None:
    assert 16 <= len(INPUTS) <= 24
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
        (Transform.RATIO, 0.33, 0.33),
        (Transform.RATIO, 25.0, 10.0),
        (Transform.RATIO, -25.0, -10.0),
        (Transform.LOG, -1e300, -math.log1p(1e12)),
        (Transform.LOG, math.nan, None),
        (Transform.RATIO, math.nan, None),
        (Transform.LOG, math.inf, None),
        (Transform.RATIO, math.inf, None),
        (Transform.RATIO, -math.inf, None),
    ],
)
def test_transform(transform: Transform, value: float, expected: float | None) -> None:
    [result] = transform.apply(np.array([value])).tolist()
    if expected is None:
        assert math.isnan(result)
    else:
        assert result == pytest.approx(expected)


def test_design_reads_integers_and_floats_and_leaves_its_sources_alone() -> None:
    counts, ratios = np.array([0, 3, 7], dtype=np.int32), np.array([0.5, math.nan, 99.0])
    x = design({"a": counts, "b": ratios}, (A, B))
    np.testing.assert_allclose(x, [[0, 0.5], [math.log(4), math.nan], [math.log(8), 10]])
    assert counts.tolist() == [0, 3, 7]
    np.testing.assert_array_equal(ratios, [0.5, math.nan, 99.0])


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


@given(seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.3, 1.0]))
def test_contributions_and_bias_add_up_to_the_logit_exactly(seed: int, missing: float) -> None:
    model = model_of(len(INPUTS), seed)
    x = matrix_of(50, len(INPUTS), seed, missing)
    for logit, shares in zip(model.logit(x).tolist(), model.contributions(x).tolist(), strict=True):
        total = model.bias
        for share in shares:
            total += share
        assert total == logit


@pytest.mark.parametrize("unknown", [math.nan, math.inf, -math.inf])
def test_a_missing_or_infinite_input_counts_as_the_mean(unknown: float) -> None:
    model = model_of(3)
    x = np.array([[1.0, unknown, 3.0]])
    assert model.contributions(x)[0, 1] == 0.0
    assert model.score(x) == model.score(np.array([[1.0, model.mean[1], 3.0]]))


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


def test_a_sure_score_neither_overflows_nor_loses_the_small_side() -> None:
    model = Model("v", True, (B,), np.zeros(1), np.ones(1), np.array([1000.0]), 0.0, 8.0)
    low, middle, high = model.score(np.array([[-8.0], [0.0], [8.0]])).tolist()
    assert (low, middle, high) == (0.0, 0.5, 1.0)
    gentle = Model("v", True, (B,), np.zeros(1), np.ones(1), np.array([5.0]), 0.0, 8.0)
    assert gentle.score(np.array([[-8.0]]))[0] == pytest.approx(math.exp(-40), rel=1e-9)


def test_no_input_moves_the_score_beyond_the_limit() -> None:
    model = Model("v", True, (B,), np.zeros(1), np.ones(1), np.ones(1), 0.0, 3.0)
    assert model.contributions(np.array([[2.0], [3.0], [4.0], [-9.0]]))[:, 0].tolist() == [
        2.0,
        3.0,
        3.0,
        -3.0,
    ]


def test_reasons_are_what_raises_the_score_most() -> None:
    model = Model("v", True, (A, B, C), np.zeros(3), np.ones(3), np.array([0.5, 2.0, -1.0]), 0.0, 8.0)
    values: dict[str, Value] = {"a": 5, "b": 0.5, "c": 3.0}
    row = np.array([2.0, 0.4, 3.0])
    assert model.reasons(row, values.__getitem__) == (Reason("a", 1.0, 5), Reason("b", 0.8, 0.5))
    assert model.reasons(row, values.__getitem__, limit=1) == (Reason("a", 1.0, 5),)
    assert model.reasons(np.array([math.nan, -1.0, math.nan]), values.__getitem__) == ()


def test_reasons_of_equal_share_come_in_the_order_of_inputs() -> None:
    model = Model("v", True, (A, B, C), np.zeros(3), np.ones(3), np.ones(3), 0.0, 8.0)
    assert [r.feature for r in model.reasons(np.ones(3), lambda _: None)] == ["a", "b", "c"]


def test_a_model_survives_json_bit_for_bit() -> None:
    model = model_of(len(INPUTS))
    again = Model.from_dict(json.loads(json.dumps(model.to_dict())))
    x = matrix_of(100, len(INPUTS))
    assert again.score(x).tobytes() == model.score(x).tobytes()
    assert again.to_dict() == model.to_dict()
    assert (again.version, again.ready, again.inputs) == ("test", True, INPUTS)
