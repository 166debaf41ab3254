"""Schemas by their ids, kept in memory and on disk: an id's never changes, so none is asked for twice.

While the registry is away, all that is known goes on being read. A record with a schema that is not known
waits, for a bounded time: then it is refused, and its bytes are on the rejected topic.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.inputs.formats.registry import RegisteredSchema, RegistryAway, RegistryError, SchemaSource

log = logging.getLogger(__name__)

MOST: Final = 10_000
"""Schemas that are remembered; beyond them the oldest are forgotten, and read or asked for again."""
ASKED_AGAIN_S: Final = 60.0
"""After so long a schema is asked for again that the registry does not know, or did not give in time."""
LONGEST_DELAY_S: Final = 30.0
AT_ONCE: Final = 50
"""Schemas that are asked for before a loop gets its turn again."""
SAID_EVERY_S: Final = 60.0

_DECODER: Final = msgspec.json.Decoder(RegisteredSchema)


class SchemaUnusable(Exception):
    """There is no schema of this id for now; the text says why."""


class Schemas:
    """The schemas of a registry. Any thread may ask; only `fetch` waits for anything."""

    def __init__(
        self,
        source: SchemaSource,
        place: str,
        *,
        folder: Path | None = None,
        patience_s: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take where schemas come from; `place` names it, `folder` keeps them across restarts.

        After `patience_s` of a registry that is away, records with unknown schemas are refused.
        """
        self._source = source
        self._folder = folder / hashlib.sha256(place.encode()).hexdigest()[:16] if folder else None
        self._patience_s = patience_s
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[int, RegisteredSchema] = {}
        self._unusable: dict[int, tuple[str, float]] = {}
        """Why there is none, and until when that is not asked again."""
        self._failures = 0
        self._away_since = self._failed_at = self._said_at = -ASKED_AGAIN_S * 1e6
        self._cannot_keep = False

    @property
    def known(self) -> int:
        """How many schemas are known."""
        return len(self._known)

    @property
    def away_s(self) -> float:
        """For how many seconds records have been waiting for a registry that is away; 0 where none does."""
        return max(0.0, self._clock() - self._away_since) if self._failures else 0.0

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """Return a schema, or `None` where it has to be fetched before. Raises `SchemaUnusable`."""
        found = self._known.get(schema_id)
        if found is not None:
            return found
        with self._lock:
            wrong, until = self._unusable.get(schema_id, ("", 0.0))
            if wrong and self._clock() < until:
                raise SchemaUnusable(wrong)
        return None

    def fetch(self, ids: Sequence[int]) -> float:
        """Ask for schemas; return how many seconds to wait before asking again, 0 where all were answered."""
        for schema_id in ids[:AT_ONCE]:
            found = self._from_disk(schema_id)
            try:
                if found is None:
                    found = self._source.fetch(schema_id)
                    self._to_disk(schema_id, found)
            except RegistryError as error:
                self._note_answer()
                self._refuse(schema_id, str(error))
            except RegistryAway as error:
                return self._note_failure(ids, str(error))
            else:
                self._note_answer()
                with self._lock:
                    while len(self._known) >= MOST:
                        del self._known[next(iter(self._known))]
                    self._known[schema_id] = found
        return 0.0

    def _note_answer(self) -> None:
        with self._lock:
            away, self._failures = self._failures, 0
        if away:
            log.info("the schema registry answers again")

    def _note_failure(self, ids: Sequence[int], wrong: str) -> float:
        """Note that the registry is away; return how long to wait, and refuse what has waited too long."""
        with self._lock:
            now = self._clock()
            # Nobody asked in between: it was not away for all that time, as far as anybody knows.
            if not self._failures or now - self._failed_at > 2 * ASKED_AGAIN_S:
                self._failures, self._away_since = 0, now
            self._failures += 1
            self._failed_at = now
            away_s = now - self._away_since
            says = now - self._said_at >= SAID_EVERY_S
            if says:
                self._said_at = now
        if away_s >= self._patience_s:
            for schema_id in ids:
                self._refuse(schema_id, f"its schema could not be had for {away_s:.0f} s: {wrong}")
            log.warning("%s, for %.0f s now: records with unknown schemas are refused", wrong, away_s)
            return 0.0
        if says:
            log.warning("%s: records with unknown schemas wait, for %.0f s now", wrong, away_s)
        left = self._patience_s - away_s
        return max(0.1, min(LONGEST_DELAY_S, left, 2.0 ** min(self._failures - 1, 10)))

    def _refuse(self, schema_id: int, wrong: str) -> None:
        with self._lock:
            while len(self._unusable) >= MOST:
                del self._unusable[next(iter(self._unusable))]
            self._unusable[schema_id] = (wrong, self._clock() + ASKED_AGAIN_S)

    def _from_disk(self, schema_id: int) -> RegisteredSchema | None:
        if self._folder is None:
            return None
        try:
            return _DECODER.decode((self._folder / f"{schema_id}.json").read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None  # it is asked for, and written anew

    def _to_disk(self, schema_id: int, found: RegisteredSchema) -> None:
        if self._folder is None:
            return
        part = self._folder / f"{schema_id}.{os.getpid()}.{threading.get_ident()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(msgspec.json.encode(found))
            part.replace(self._folder / f"{schema_id}.json")
        except OSError as error:
            if not self._cannot_keep:
                self._cannot_keep = True
                log.warning(
                    "schemas are not kept for a restart: %s: %s", self._folder, error.strerror or error
                )
