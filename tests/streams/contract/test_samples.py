"""Samples survive the wire, and what is no record of samples is refused with the reason."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.samples import SampleBatch, encode_samples, parse_samples
from streams.core.events.calendar import DAY
from streams.core.model.delayed_labels import DelayedLabels, LabelledSamples
from streams.errors import ContractError

INPUTS = ("log(orders_30d)", "log(spend_30d)", "logit(p_silent)")


def matured(n: int, seed: int = 0, inputs: tuple[str, ...] = INPUTS) -> LabelledSamples:
    """Return what customers' delayed labels give at the end of the horizon."""
    rng = np.random.default_rng(seed)
    labels = DelayedLabels(inputs, horizon_us=90 * DAY)
    x = rng.normal(0, 3, (n, len(inputs)))
    x[rng.random(x.shape) < 0.2] = np.nan
    p = np.where(rng.random(n) < 0.3, np.nan, rng.random(n))
    labels.decide(DAY, np.arange(n), x, p)
    last = rng.integers(0, 3 * DAY, n)
    closed = np.full(n, np.iinfo(np.int64).min)
    samples = labels.mature(91 * DAY, last, closed, rng.random(n) < 0.1)
    assert samples is not None
    return replace(samples, weight=rng.uniform(1, 10, n), treated=rng.random(n) < 0.1)


@given(n=st.integers(1, 60), seed=st.integers(0, 1000), partition=st.integers(0, 5))
def test_samples_survive_the_wire(n: int, seed: int, partition: int) -> None:
    samples = matured(n, seed)
    batch = parse_samples(encode_samples(samples, "shop", partition, 6), "shop")
    kept = [i for i in range(n) if not samples.excluded[i] and not samples.treated[i]]
    assert (batch.partition, batch.partitions, batch.at, batch.inputs) == (partition, 6, DAY, INPUTS)
    np.testing.assert_array_equal(batch.x, samples.x[kept])
    np.testing.assert_array_equal(batch.y, samples.y[kept])
    np.testing.assert_array_equal(batch.p, samples.p[kept])
    np.testing.assert_array_equal(batch.weight, samples.weight[kept])
    assert len(batch) + batch.excluded + batch.treated == n


def test_no_customer_is_named() -> None:
    fields_on_the_wire = msgspec.msgpack.decode(encode_samples(matured(5), "shop", 0, 1)).keys()
    assert not {name for name in fields_on_the_wire if "customer" in name}
    assert "customers" not in {each.name for each in fields(SampleBatch)}


def changed(**change: Any) -> bytes:
    samples = replace(matured(4), excluded=np.zeros(4, np.bool_), treated=np.zeros(4, np.bool_))
    record = msgspec.msgpack.decode(encode_samples(samples, "shop", 1, 2))
    return msgspec.msgpack.encode(record | change)


def test_the_record_of_the_refusals_is_taken_unchanged() -> None:
    assert len(parse_samples(changed(), "shop")) == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"app": "other"}, "it is of 'other', not of 'shop'"),
        ({"format": 2}, "Invalid enum value 2 - at `$.format`"),
        ({"partition": 2}, "partition 2 of 2"),
        ({"partition": -1}, "partition -1 of 2"),
        ({"partitions": 10**9}, "`partitions` is 1000000000"),
        ({"at": -1}, "`at` is -1"),
        ({"at": 2**62}, f"`at` is {2**62}"),
        ({"count": 5}, "`x` has 48 bytes for 15 values"),
        ({"count": 2**40}, f"`count` is {2**40}"),
        ({"excluded": -1}, "`excluded` is -1"),
        ({"inputs": []}, "0 inputs, or one of them twice"),
        ({"inputs": ["a", "a", "b"]}, "3 inputs, or one of them twice"),
        ({"y": b"\x02" * 4}, "a value is out of range"),
        ({"x": np.full(12, np.inf, "<f4").tobytes()}, "a value is out of range"),
        ({"p": np.full(4, 1.5, "<f8").tobytes()}, "a value is out of range"),
        ({"weight": np.zeros(4, "<f8").tobytes()}, "a weight is out of range"),
        ({"weight": np.full(4, np.nan, "<f8").tobytes()}, "a weight is out of range"),
        ({"weight": np.full(4, 1e9, "<f8").tobytes()}, "a weight is out of range"),
        ({"customer_id": "c1"}, "Object contains unknown field `customer_id`"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_named(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ContractError) as refused:
        parse_samples(changed(**change), "shop")
    assert str(refused.value) == f"not a record of samples: {reason}"


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff" * 40, b"\x91" * 100_000, "é".encode("latin-1")])
def test_anything_else_is_refused(value: bytes | None) -> None:
    with pytest.raises(ContractError, match="not a record of samples"):
        parse_samples(value, "shop")
