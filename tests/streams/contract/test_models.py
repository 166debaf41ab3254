"""Models survive the wire bit for bit, and what is none of ours is refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from streams.contract.models import CHAMPION, PIN, ModelLog, content_hash, encode_choice
from streams.core.events.calendar import DAY
from streams.core.model.logistic import INPUTS, Model
from streams.errors import ContractError
from streams.learning.shared import SharedLearner
from tests.streams.learning.test_shared import batch_of

APP = "shop"


def learned(records: int = 2) -> SharedLearner:
    learner = SharedLearner()
    for number in range(records):
        learner.take(batch_of(200, seed=number, at=(number + 1) * DAY), number)
    return learner


def log_of(*learners: SharedLearner) -> ModelLog:
    log = ModelLog(APP)
    for learner in learners:
        version, value = record_of(learner)
        log.take(version.encode(), value)
    return log


def record_of(learner: SharedLearner) -> tuple[str, bytes]:
    """Return the champion's record, with its version."""
    return next(iter(learner.records(APP).items()))


def test_a_model_scores_the_same_after_the_wire() -> None:
    learner = learned()
    (published,) = log_of(learner).models.values()
    model, x = learner.model(), np.random.default_rng(1).normal(1, 2, (300, len(INPUTS)))
    assert published.model().score(x).tobytes() == model.score(x).tobytes()
    assert published.model().to_dict() == model.to_dict()
    assert published.learned == 400
    assert published.samples_offset == 2
    assert published.metrics["prequential"]["samples"] > 0  # type: ignore[index,call-overload,operator]


def test_the_newest_choice_is_in_force_and_a_pin_before_the_champion() -> None:
    one, two = learned(1), learned(2)
    log = log_of(one, two)
    first, second = one.model().version, two.model().version

    def choose(key: bytes, version: str | None) -> str | None:
        log.take(key, encode_choice(APP, version, None, DAY, "me", "why"))
        model = log.model()
        return model.version if model is not None else None

    assert log.model() is None
    assert choose(CHAMPION, second) == second
    assert choose(PIN, first) == first
    assert choose(CHAMPION, second) == first
    assert choose(PIN, None) == second
    assert [each.version for each in log.newest()] == [second, first]
    log.take(second.encode(), None)
    assert log.model() is None
    assert log.in_force == second


def with_inputs_of_tomorrow(record: dict[str, Any]) -> None:
    record["inputs"][0] = "log(visits_30d)"


def with_another_weight(record: dict[str, Any]) -> None:
    record["weight"][3][2] += 1e-9


def with_another_bias(record: dict[str, Any]) -> None:
    record["bias"] += 1.0


def ready(record: dict[str, Any]) -> None:
    record["ready"] = not record["ready"]


def with_a_weight_too_few(record: dict[str, Any]) -> None:
    record["weight"].pop()


def with_code(record: dict[str, Any]) -> None:
    record["pickle"] = "gASV"


def with_a_huge_weight(record: dict[str, Any]) -> None:
    record["weight"][0][0] = 1e300


def of_another_application(record: dict[str, Any]) -> None:
    record["app"] = "other"


def under_another_version(record: dict[str, Any]) -> None:
    record["version"] = "7-00000000"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_inputs_of_tomorrow, "its hash does not fit its content"),
        (with_another_weight, "its hash does not fit its content"),
        (with_another_bias, "its hash does not fit its content"),
        (ready, "its hash does not fit its content"),
        (with_a_weight_too_few, "weights of"),
        (with_code, "pickle: Extra inputs are not permitted"),
        (with_a_huge_weight, "less than or equal to"),
        (of_another_application, "not a model of 'shop', but of 'other'"),
        (under_another_version, "its key is not its version 7-00000000"),
    ],
)
def test_a_model_that_was_changed_is_refused(change: Callable[[dict[str, Any]], None], reason: str) -> None:
    learner = learned()
    record = json.loads(record_of(learner)[1])
    change(record)
    log = ModelLog(APP)
    with pytest.raises(ContractError, match=reason):
        log.take(learner.model().version.encode(), json.dumps(record).encode())
    assert log.models == {}


@pytest.mark.parametrize("key", [None, b"champion", b"pin", b"400-12345678", b"\xff"])
@pytest.mark.parametrize("value", [b"", b"{}", b"[" * 10_000, b"\xff\xfe", b"null", b'{"kind": "model"}'])
def test_anything_else_is_refused(key: bytes | None, value: bytes) -> None:
    log = ModelLog(APP)
    with pytest.raises(ContractError, match="not a"):
        log.take(key, value)
    log.take(key, None)
    assert (log.models, log.in_force) == ({}, None)


def test_a_model_of_inputs_that_are_not_known_here_is_no_model_to_score_by() -> None:
    learner = learned()
    known = learner.model()
    strange = Model(known.version, known.ready, known.inputs, known.weight, known.bias)
    record = json.loads(record_of(learner)[1])
    record["inputs"][0] = "log(visits_30d)"
    weight = tuple(tuple(row) for row in record["weight"])
    record["hash"] = content_hash(tuple(record["inputs"]), weight, record["bias"], ready=record["ready"])
    log = ModelLog(APP)
    log.take(strange.version.encode(), json.dumps(record).encode())
    with pytest.raises(ContractError, match="needs inputs that this Lapwing does not have"):
        log.models[strange.version].model()
