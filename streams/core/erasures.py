"""Which customers were erased, by keyed hashes of their ids: their older events do not count any more.

An erasure that is adopted is pending until it is carried out (`streams.core.removal`). A checkpoint between
the two has it, so that whoever goes on from there carries it out at the same place. Afterwards the hash and
two instants are all that is left, and events of that id count only where they are dated later: a person who
comes back is a new customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.core.events.calendar import NEVER
from streams.core.features.customers import Customers
from streams.core.features.renumbering import Renumbering

_NO_CUSTOMER: Final = b""
"""A customer's id has one character at least, so the hash of this names the key alone."""


@dataclass(frozen=True, slots=True)
class ErasureKey:
    """The secret that customers' ids are hashed with: without it nobody can try ids against the hashes."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Return a name for this key that gives nothing of it away."""
        return self.check[:16]

    @property
    def check(self) -> str:
        """Return what no customer's id hashes to, and no other key gives."""
        return self._digest(_NO_CUSTOMER)

    def hash(self, customer_id: str) -> str:
        """Return the keyed BLAKE2b of an id, 256 bits in hexadecimal digits: a third of what HMAC costs."""
        return self._digest(customer_id.encode("utf-8", "surrogatepass"))

    def _digest(self, message: bytes) -> str:
        # A secret may be longer than the 64 bytes that a key may have.
        key = self.secret if len(self.secret) <= blake2b.MAX_KEY_SIZE else blake2b(self.secret).digest()
        return blake2b(message, key=key, digest_size=32).hexdigest()


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of one customer; instants are microseconds since the epoch."""

    hash: str
    erased_at: int
    """Events of the customer up to and including this instant do not count any more."""
    cleared_at: int | None = None
    """The clock of the partition when its state lost the customer; `None` while that is pending."""


class ErasedCustomers:
    """The erasures of one partition."""

    def __init__(self, key: ErasureKey | None = None) -> None:
        self.key = key
        self._of: dict[str, Erasure] = {}
        self._returned: dict[int, int] = {}
        """By customer who came back, the instant of the erasure before."""
        self._returning: dict[str, int] = {}
        """By id, the same of those among the events that `among` was asked of last."""

    def __len__(self) -> int:
        return len(self._of)

    @property
    def all(self) -> list[Erasure]:
        """Return all erasures, in the order in which they were adopted."""
        return list(self._of.values())

    @property
    def pending(self) -> list[Erasure]:
        """Return those that are to be carried out."""
        return [erasure for erasure in self._of.values() if erasure.cleared_at is None]

    def lacking(self, erasures: Iterable[Erasure]) -> list[Erasure]:
        """Return the erasures that are not known here, or only with an earlier time."""
        found = []
        for erasure in erasures:
            known = self._of.get(erasure.hash)
            if known is None or known.erased_at < erasure.erased_at:
                found.append(erasure)
        return found

    def adopt(self, erasures: Iterable[Erasure]) -> None:
        """Let erasures be pending."""
        for erasure in self.lacking(erasures):
            self._of[erasure.hash] = Erasure(erasure.hash, erasure.erased_at)

    def state(self) -> tuple[list[Erasure], list[tuple[int, int]]]:
        """Return all erasures, and the customers who came back with the instants of their erasures."""
        return self.all, sorted(self._returned.items())

    def restore(self, erasures: Iterable[Erasure], returned: Mapping[int, int]) -> None:
        """Go on from `state`."""
        self._of = {erasure.hash: erasure for erasure in erasures}
        self._returned = dict(returned)

    def renumber(self, to: Renumbering) -> None:
        """Forget who came back and leaves again, and give the others their new rows."""
        self._returned = to.by_customer(self._returned)

    def carried_out(self, clock: int) -> None:
        """Note that nothing that is pending is in the state any more, as its clock stands."""
        for erasure in self.pending:
            self._of[erasure.hash] = Erasure(erasure.hash, erasure.erased_at, clock)

    def find(self, customer_ids: Sequence[str]) -> NDArray[np.int32]:
        """Return which of the ids, (k,) positions, have a pending erasure."""
        wanted = {erasure.hash for erasure in self.pending}
        if not wanted:
            return np.empty(0, dtype=np.int32)
        hash_of = self._key().hash
        found = [place for place, own in enumerate(customer_ids) if hash_of(own) in wanted]
        return np.array(found, dtype=np.int32)

    def among(self, events: Batch, customers: Customers) -> NDArray[np.bool_] | None:
        """Say of each (n,) event whether it is an erased customer's and too old to count.

        `None` where nobody was erased. A hash is computed only of ids that the state does not know.
        """
        if not self._of:
            return None
        rows = customers.find(events.customer_id)
        erased = np.zeros(len(rows), dtype=np.bool_)
        if self._returned:
            back = np.flatnonzero(np.isin(rows, list(self._returned)))
            until = np.array([self._returned[row] for row in rows[back].tolist()], dtype=np.int64)
            erased[back] = events.at[back] <= until
        self._returning = {}
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            ids = events.customer_id[unknown].tolist()
            until_of = {own: self._until(own) for own in set(ids)}
            self._returning = {own: at for own, at in until_of.items() if at != NEVER}
            if self._returning:
                limits = np.array([until_of[own] for own in ids], dtype=np.int64)
                erased[unknown] = events.at[unknown] <= limits
        return erased

    def note_returned(self, customers: Customers) -> None:
        """Note who of the events that `among` was asked of last is known again, now that they are taken."""
        if not self._returning:
            return
        ids = list(self._returning)
        rows = customers.find(np.array(ids, dtype=np.object_))
        for own, row in zip(ids, rows.tolist(), strict=True):
            if row >= 0:
                self._returned[row] = self._returning[own]
        self._returning = {}

    def _until(self, customer_id: str) -> int:
        erasure = self._of.get(self._key().hash(customer_id))
        return NEVER if erasure is None else erasure.erased_at

    def _key(self) -> ErasureKey:
        assert self.key is not None, "a state with erasures is refused where there is no key"
        return self.key
