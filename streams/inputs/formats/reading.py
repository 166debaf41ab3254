"""What a format does: records as they are on a topic become plain JSON, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from streams.contract.decode import RefusedRecord
from streams.contract.rejected import RefusalReason
from streams.errors import LapwingError

T = TypeVar("T")

TRIES: Final = 100
"""How often schemas are fetched for one poll, some dozens each time."""
Read = tuple[list[bytes | None], list[RefusedRecord]]
"""For each record of a poll (n,) its JSON, and the records that cannot be read. `None` stands for these, and
for what says nothing, such as the tombstone after a deletion: that is passed over."""


class FormatUnavailable(LapwingError):
    """A format cannot be read as this installation is set up."""


class SchemasWanted(LapwingError):
    """A poll can be read once the schemas of some records have been fetched; nothing of it was read.

    Who reads calls `fetch` where it may block, waits as long as it says, and reads the poll again.
    """

    def __init__(self, ids: Sequence[int], fetch: Callable[[], float]) -> None:
        listed = ", ".join(map(str, ids[:5])) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
        super().__init__(f"schemas have to be fetched from the registry: {listed}")
        self.ids = tuple(ids)
        self.fetch = fetch
        """Ask the registry once. Returns for how many seconds to wait before reading the poll again, 0 where
        it answered; may take as long as the registry's time limit for each schema."""


class Refused(Exception):
    """One record cannot be read."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        # It may name a column or a type, which a record or a schema can call anything.
        self.detail = "".join(each if each.isprintable() else "?" for each in detail[:400])
        """What is wrong, never what it holds."""


def read_each(values: Sequence[bytes | None], read: Callable[[bytes], bytes | None]) -> Read:
    """Return what `read` makes of each value but tombstones; one that it refuses costs no other."""
    found: list[bytes | None] = []
    refused: list[RefusedRecord] = []
    for index, value in enumerate(values):
        try:
            found.append(None if value is None else read(value))
        except Refused as error:
            found.append(None)
            refused.append(RefusedRecord(index, error.reason, error.detail))
    return found, refused


def with_schemas(read: Callable[[], T]) -> T:
    """Return what `read` gives, after fetching the schemas that it wants: for who may block.

    Raises `SchemasWanted` where the registry does not give them now.
    """
    for _ in range(TRIES):
        try:
            return read()
        except SchemasWanted as wanted:
            if wanted.fetch() > 0:
                raise
    return read()
