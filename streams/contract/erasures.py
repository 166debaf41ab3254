"""The records of the erasures topic: which customers were erased, by keyed hashes of their ids.

The topic is compacted, its key is the hash, and nothing in it is a customer's: whoever has the key of the
hashes can ask whether an id is among them, and nobody can read an id from it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from streams.contract.instants import to_us
from streams.contract.mistakes import read_json
from streams.contract.warnings import Outbound, Time
from streams.core.erasures import Erasure, ErasureKey

__all__ = ["ErasureKey", "ErasureRequest", "encode_erasure", "parse_erasure"]


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
    def erasure(self) -> Erasure:
        """Return it as the engine knows it."""
        return Erasure(self.hash, to_us(self.erased_at))


def parse_erasure(value: bytes) -> ErasureRequest:
    """Return the erasure that the bytes of a record hold."""
    return read_json(ErasureRequest, value, "an erasure")


def encode_erasure(request: ErasureRequest) -> bytes:
    """Return the bytes of an erasure's record."""
    return request.model_dump_json().encode()
