"""The records of the erasures topic: which customers were erased, by keyed hashes of their ids.

The topic is compacted, its key is the hash, and nothing in it is a customer's: whoever has the key of the
hashes can ask whether an id is among them, and nobody can read an id from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from streams.contract.instants import EPOCH, to_us
from streams.contract.mistakes import read_json
from streams.contract.warnings import Outbound, Time
from streams.core.erasures import Erasure, ErasureKey
from streams.errors import ErasureError

__all__ = [
    "ErasureKey",
    "ErasureRequest",
    "WrongErasureKey",
    "encode_erasure",
    "made_with",
    "marker",
    "parse_erasure",
    "wrong_key",
]


class WrongErasureKey(ErasureError):
    """Customers were erased, and none of them with the key that is set."""


class ErasureRequest(Outbound):
    """One customer who is erased."""

    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Keyed BLAKE2b of the customer's id."
    )
    erased_at: Time = Field(description="Events up to and including this time do not count any more.")
    key_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] = Field(
        description="Which key the hash was made with; it gives nothing of the key away."
    )

    @property
    def is_marker(self) -> bool:
        """Whether it erases nobody and says which key is in use; only who has that key can make it."""
        return self.hash.startswith(self.key_id)

    @property
    def erasure(self) -> Erasure:
        """Return it as the engine knows it."""
        return Erasure(self.hash, to_us(self.erased_at))


def made_with(
    key: ErasureKey | None, requests: Iterable[ErasureRequest]
) -> tuple[list[ErasureRequest], list[ErasureRequest]]:
    """Return the requests that were made with a key, and the others.

    Raises `WrongErasureKey` where there are others only: then the key is missing or wrong, and to go on would
    bring back who was erased. Beside requests of the key itself, or its marker, others are nobody's: who may
    write to the topic cannot stop those who read it. A marker erases nobody and is in neither list.
    """
    ours: list[ErasureRequest] = []
    others: list[ErasureRequest] = []
    is_known = False
    for request in requests:
        is_ours = key is not None and request.key_id == key.id
        is_known |= is_ours
        if not request.is_marker:
            (ours if is_ours else others).append(request)
    if others and not is_known:
        raise WrongErasureKey(wrong_key(key, others[0]))
    return ours, others


def marker(key: ErasureKey) -> ErasureRequest:
    """Return the record by which the topic says which key is in use before anybody is erased."""
    return ErasureRequest(hash=key.check, erased_at=EPOCH, key_id=key.id)


def wrong_key(key: ErasureKey | None, request: ErasureRequest) -> str:
    """Return what to do where a request was made with another key, or there is none."""
    if key is None:
        return (
            f"customers were erased with the key {request.key_id}, and LAPWING_ERASURE_KEY is not set: "
            "set the key of their erasure"
        )
    return (
        f"LAPWING_ERASURE_KEY is the key {key.id}, and customers were erased with the key "
        f"{request.key_id}: set that one"
    )


def parse_erasure(value: bytes) -> ErasureRequest:
    """Return the erasure that the bytes of a record hold."""
    return read_json(ErasureRequest, value, "an erasure")


def encode_erasure(request: ErasureRequest) -> bytes:
    """Return the bytes of an erasure's record."""
    return request.model_dump_json().encode()
