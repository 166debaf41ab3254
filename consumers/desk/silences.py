"""The silences as the store has them, and those that this desk has sent and the sink has yet to store."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import select

from consumers.broker.records import RecordSender
from consumers.database.database import Database
from consumers.database.notices import SilenceRow
from consumers.desk.clock import DeskClock
from consumers.silences import ended, named, new_silence, write_silence
from streams.contract.silences import Recurring, Silence, parse_silence

SHOWN_FOR: Final = timedelta(minutes=10)
"""How long a silence that was sent is shown although nobody stores it."""


@dataclass(frozen=True, slots=True)
class ShownSilence:
    """A silence, and whether it is on its way to the store."""

    silence: Silence
    state: str
    """`pending`, `active` or `expired`."""
    on_its_way: bool


class SilenceDesk:
    """Silences of one desk."""

    def __init__(self, database: Database, sender: RecordSender, topic: str, clock: DeskClock) -> None:
        self._database = database
        self._sender = sender
        self._topic = topic
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: dict[str, tuple[Silence, datetime]] = {}

    def all(self) -> list[ShownSilence]:
        """Return every silence, the newest first."""
        now = self._clock.wall()
        stored, found = self._stored(), []
        with self._lock:
            for name, (silence, at) in list(self._sent.items()):
                known = stored.get(name)
                if (known is not None and known.revision >= silence.revision) or now - at > SHOWN_FOR:
                    del self._sent[name]
            sent = {name: silence for name, (silence, _) in self._sent.items()}
        for name, silence in {**stored, **sent}.items():
            found.append(ShownSilence(silence, silence.state(now), name in sent))
        found.sort(key=lambda each: (each.silence.created_at, each.silence.id), reverse=True)
        return found

    def add(
        self,
        author: str,
        reason: str,
        matchers: Mapping[str, Any],
        starts_at: datetime | None,
        ends_at: datetime | None,
        recurring: Recurring | None,
    ) -> Silence:
        """Send a new silence, from now on where no time is given; raise `ContractError` if it is none."""
        now = self._clock.wall()
        made = new_silence(now, author, reason, matchers, starts_at or now, ends_at, recurring)
        self._send(made)
        return made

    def end(self, silence_id: str, by: str) -> Silence:
        """End a silence now; raise `ContractError` where there is none or it is over."""
        known = {each.silence.id: each.silence for each in self.all()}
        over = ended(named(known, silence_id), self._clock.wall(), by)
        self._send(over)
        return over

    def _send(self, silence: Silence) -> None:
        write_silence(self._sender, self._topic, silence)
        with self._lock:
            self._sent[silence.id] = (silence, self._clock.wall())

    def _stored(self) -> dict[str, Silence]:
        with self._database.reading() as connection:
            contents = connection.scalars(select(SilenceRow.content)).all()
        return {content["id"]: parse_silence(msgspec.json.encode(content)) for content in contents}
