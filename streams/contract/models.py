"""The records of the models topic: models as data, and which of them is in force.

A model is kept under its version. Under `champion` stands the version that the learner would have in force,
and under `pin` the one that somebody has chosen instead, if anybody has. The topic is anybody's to write to:
what is none of ours is refused with the reason, and never read as code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from pydantic import ConfigDict, Field, JsonValue, StrictBool, StringConstraints, model_validator

from streams.contract.instants import format_instant, to_us
from streams.contract.mistakes import read_json
from streams.contract.warnings import Outbound, Time
from streams.core.model.logistic import SLOTS, Model, knows_inputs
from streams.errors import ContractError

CHAMPION: Final = b"champion"
PIN: Final = b"pin"
FORMAT: Final = 1
LARGEST: Final = 1e6
"""No weight is larger than this: no learner comes near it."""

Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9a-f]{8}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Weight = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]


class PublishedModel(Outbound):
    """A model as the learner had it at one moment."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["model"]
    format: Literal[1]
    app: Name
    version: Version = Field(description="The number of samples learned from, and a hash of the weights.")
    candidate: Name = Field(description="Which of the learner's candidates it is.")
    champion: StrictBool = Field(description="Whether that was the champion when it was published.")
    at: Time = Field(description="The newest decision instant that it has learned from.")
    inputs: tuple[Name, ...] = Field(min_length=1, max_length=500)
    weight: tuple[Annotated[tuple[Weight, ...], Field(min_length=SLOTS, max_length=SLOTS)], ...] = Field(
        description="For each input, its share of the log odds at each knot and where it is missing."
    )
    bias: Weight
    ready: bool
    learned: Count
    learned_churned: Count
    samples_offset: Count = Field(description="Of the samples topic: the first record not learned from.")
    metrics: dict[str, JsonValue] = Field(description="How good its candidate's probabilities were.")
    hash: str = Field(description="SHA-256 of all that a score depends on.")

    @model_validator(mode="after")
    def _is_whole(self) -> PublishedModel:
        if len(self.weight) != len(self.inputs) or len(set(self.inputs)) < len(self.inputs):
            msg = f"{len(self.weight)} weights of {len(self.inputs)} inputs, or an input twice"
            raise ValueError(msg)
        if self.hash != content_hash(self.inputs, self.weight, self.bias, ready=self.ready):
            msg = "its hash does not fit its content"
            raise ValueError(msg)
        return self

    def model(self) -> Model:
        """Return the model that scores; raise `ContractError` where it has inputs that are not known here."""
        if not knows_inputs(self.inputs):
            msg = f"model {self.version} needs inputs that this Lapwing does not have"
            raise ContractError(msg)
        return Model.from_dict(
            {
                "version": self.version,
                "ready": self.ready,
                "inputs": self.inputs,
                "weight": self.weight,
                "bias": self.bias,
                "level": 0.0,
            }
        )


class ModelChoice(Outbound):
    """Which model is to be in force, and who chose it."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["choice"]
    format: Literal[1]
    app: Name
    version: Version | None = Field(description="`null`: nobody's choice, the learner's holds.")
    before: Version | None = Field(description="The one in force before.")
    at: Time = Field(description="By the clock of whoever chose.")
    by: Name
    reason: Annotated[str, StringConstraints(max_length=1_000)]


def content_hash(
    inputs: tuple[str, ...], weight: tuple[tuple[float, ...], ...], bias: float, *, ready: bool
) -> str:
    """Return the hash of all that a score depends on."""
    numbers = np.array([*(each for row in weight for each in row), bias], dtype="<f8").tobytes()
    return hashlib.sha256(json.dumps([*inputs, ready]).encode() + numbers).hexdigest()


def encode_model(
    model: Model,
    *,
    app: str,
    candidate: str,
    champion: bool,
    at: int,
    learned: int,
    learned_churned: int,
    samples_offset: int,
    metrics: dict[str, Any],
) -> bytes:
    """Return the record of a model; its key is its version."""
    inputs = tuple(i.name for i in model.inputs)
    weight = tuple(tuple(row) for row in model.weight.tolist())
    return _encode(
        {
            "kind": "model",
            "format": FORMAT,
            "app": app,
            "version": model.version,
            "candidate": candidate,
            "champion": champion,
            "at": format_instant(at),
            "inputs": inputs,
            "weight": weight,
            "bias": model.bias,
            "ready": model.ready,
            "learned": learned,
            "learned_churned": learned_churned,
            "samples_offset": samples_offset,
            "metrics": metrics,
            "hash": content_hash(inputs, weight, model.bias, ready=model.ready),
        }
    )


def encode_choice(app: str, version: str | None, before: str | None, at: int, by: str, reason: str) -> bytes:
    """Return the record of a choice; its key is `CHAMPION` or `PIN`."""
    return _encode(
        {
            "kind": "choice",
            "format": FORMAT,
            "app": app,
            "version": version,
            "before": before,
            "at": format_instant(at),
            "by": by,
            "reason": reason,
        }
    )


class ModelLog:
    """What the models topic holds of an application."""

    def __init__(self, app: str) -> None:
        self._app = app
        self.models: dict[str, PublishedModel] = {}
        """By version, in the order of publication."""
        self.champion: ModelChoice | None = None
        self.pin: ModelChoice | None = None

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take in a record, or raise `ContractError` where it is not one of this application's."""
        if value is None:
            self.models.pop((key or b"").decode(errors="replace"), None)
            return
        if key in (CHAMPION, PIN):
            choice = read_json(ModelChoice, value, "a choice of a model")
            self._check(choice.app)
            if key == CHAMPION:
                self.champion = choice
            else:
                self.pin = choice
            return
        model = read_json(PublishedModel, value, "a model")
        self._check(model.app)
        if key != model.version.encode():
            msg = f"not a model: its key is not its version {model.version}"
            raise ContractError(msg)
        self.models.pop(model.version, None)
        self.models[model.version] = model

    @property
    def pinned(self) -> str | None:
        """The version that somebody has chosen, if anybody has."""
        return self.pin.version if self.pin is not None else None

    @property
    def in_force(self) -> str | None:
        """The version that is to be in force; it may have been removed."""
        return self.pinned or (self.champion.version if self.champion is not None else None)

    def model(self) -> PublishedModel | None:
        """Return the model that is to be in force, if it is there."""
        return self.models.get(self.in_force or "")

    def newest(self) -> list[PublishedModel]:
        """Return all models, the newest first."""
        return sorted(self.models.values(), key=lambda each: (to_us(each.at), each.learned), reverse=True)

    def _check(self, app: str) -> None:
        if app != self._app:
            msg = f"not a model of {self._app!r}, but of {app[:100]!r}"
            raise ContractError(msg)


_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode
