"""The records of the samples topic: customers of one decision instant, and what became of them, as columns.

A sample names no customer: the learner needs none, and what is not there need not be erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.contract.instants import LAST_US
from streams.contract.mistakes import one_line
from streams.core.model.delayed_labels import LabelledSamples
from streams.errors import ContractError

FORMAT: Final = 1
MOST_SAMPLES: Final = 100_000
MOST_INPUTS: Final = 500
MOST_PARTITIONS: Final = 100_000
HEAVIEST: Final = 1_000.0
"""What a sample may weigh."""


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    """A record; columns are their bytes, little-endian."""

    kind: Literal["samples"]
    format: Literal[1]
    app: str
    partition: int
    partitions: int
    at: int
    inputs: list[str]
    count: int
    x: bytes
    y: bytes
    p: bytes
    weight: bytes
    excluded: int
    treated: int


COLUMNS: Final = {
    "x": "`count` rows of a float32 for each input, NaN for missing",
    "y": "`count` bytes: 1 churned, 0 did not",
    "p": "`count` float64: the probability given, NaN for none",
    "weight": "`count` float64: how often each counts",
}
"""What the bytes of a record's columns are, little-endian."""


def sample_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record, once MessagePack is decoded; columns are bytes."""
    schema = msgspec.json.schema(_Record)
    body: dict[str, Any] = schema["$defs"][_Record.__name__] | {
        "title": "SampleRecord",
        "description": "Customers of one decision instant and what became of them; it names nobody.",
    }
    for name, text in COLUMNS.items():
        body["properties"][name] = {"description": f"Binary: {text}."}
    body["properties"]["at"]["description"] = "The decision instant, microseconds since the epoch."
    body["properties"]["excluded"]["description"] = "Customers of the instant whose outcome is not known."
    body["properties"]["treated"]["description"] = "Customers of the instant who were treated."
    return body


_decode: Final = msgspec.msgpack.Decoder(_Record).decode
_encode: Final = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """What a partition knows at the end of the horizon of `k` customers of one decision instant."""

    partition: int
    partitions: int
    """How many partitions the input had."""
    at: int
    """The decision instant, microseconds since the epoch."""
    inputs: tuple[str, ...]
    x: NDArray[np.float32]
    """(k, m) the model's inputs as they were then, NaN for missing."""
    y: NDArray[np.bool_]
    """(k,) whether the customer had churned by the end of the horizon."""
    p: NDArray[np.float64]
    """(k,) the probability given then, NaN if there was none."""
    weight: NDArray[np.float64]
    """(k,) how often each counts."""
    excluded: int = 0
    """Customers of the instant whose outcome is not known; they are not among the `k`."""
    treated: int = 0
    """The same of customers who were treated."""

    def __len__(self) -> int:
        return len(self.y)


def encode_samples(samples: LabelledSamples, app: str, partition: int, partitions: int) -> bytes:
    """Return the record of the samples that may be learned; the others are counted."""
    plain = samples.plain()
    return _encode(
        _Record(
            kind="samples",
            format=FORMAT,
            app=app,
            partition=partition,
            partitions=partitions,
            at=samples.at,
            inputs=list(samples.inputs),
            count=len(plain),
            x=plain.x.astype("<f4").tobytes(),
            y=plain.y.tobytes(),
            p=plain.p.astype("<f8").tobytes(),
            weight=plain.weight.astype("<f8").tobytes(),
            excluded=int(np.count_nonzero(samples.excluded)),
            treated=int(np.count_nonzero(samples.treated & ~samples.excluded)),
        )
    )


def parse_samples(value: bytes | None, app: str) -> SampleBatch:
    """Return the samples of a record, or raise `ContractError` unless it is one of this application's."""
    try:
        record = _decode(value or b"")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _refusal(one_line(str(error))) from None
    if record.app != app:
        msg = f"it is of {record.app[:100]!r}, not of {app!r}"
        raise _refusal(msg)
    for name, found, most in (
        ("partitions", record.partitions, MOST_PARTITIONS),
        ("count", record.count, MOST_SAMPLES),
        ("excluded", record.excluded, MOST_SAMPLES),
        ("treated", record.treated, MOST_SAMPLES),
        ("at", record.at, LAST_US),
    ):
        if not 0 <= found <= most:
            msg = f"`{name}` is {found}"
            raise _refusal(msg)
    if not 0 <= record.partition < record.partitions:
        msg = f"partition {record.partition} of {record.partitions}"
        raise _refusal(msg)
    if not 0 < len(record.inputs) <= MOST_INPUTS or len(set(record.inputs)) < len(record.inputs):
        msg = f"{len(record.inputs)} inputs, or one of them twice"
        raise _refusal(msg)
    n, m = record.count, len(record.inputs)
    x = _column(record.x, "<f4", n * m, "x").reshape(n, m).astype(np.float32)
    y = _column(record.y, "|u1", n, "y")
    p = _column(record.p, "<f8", n, "p").astype(np.float64)
    weight = _column(record.weight, "<f8", n, "weight").astype(np.float64)
    if np.isinf(x).any() or (y > 1).any() or not (np.isnan(p) | ((p >= 0) & (p <= 1))).all():
        msg = "a value is out of range"
        raise _refusal(msg)
    if not ((weight > 0) & (weight <= HEAVIEST)).all():
        msg = "a weight is out of range"
        raise _refusal(msg)
    return SampleBatch(
        partition=record.partition,
        partitions=record.partitions,
        at=record.at,
        inputs=tuple(record.inputs),
        x=x,
        y=y.astype(np.bool_),
        p=p,
        weight=weight,
        excluded=record.excluded,
        treated=record.treated,
    )


def _column(data: bytes, dtype: str, count: int, name: str) -> NDArray[Any]:
    if len(data) != count * np.dtype(dtype).itemsize:
        msg = f"`{name}` has {len(data)} bytes for {count} values"
        raise _refusal(msg)
    return np.frombuffer(data, dtype=dtype)


def _refusal(reason: str) -> ContractError:
    return ContractError(f"not a record of samples: {reason}")
