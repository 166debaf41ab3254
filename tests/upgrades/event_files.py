"""Records of topics as the lines of an event file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from scripts.keep_version import TOPICS, Record

WORDS = {topic: word for word, topic in TOPICS.items()} | {"actions": "action"}


def event_lines(records: Iterable[Record]) -> Iterator[str]:
    """Yield the events among the records, in the order of the topics."""
    for each in records:
        if each.topic in WORDS:
            yield json.dumps({"type": WORDS[each.topic]} | json.loads(each.value or b"")) + "\n"
