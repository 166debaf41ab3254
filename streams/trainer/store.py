"""The learner's checkpoints: what it knows, with the offset of the samples topic that it belongs to."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

import polars as pl

from streams.checkpoints.store import Checkpoint, CheckpointManifest, CheckpointStore
from streams.errors import StateError
from streams.intake.merge import TopicPosition
from streams.learning.shared import FORMAT, SharedLearner

log = logging.getLogger(__name__)

PLACE: Final = 0
"""The store keeps checkpoints by partition; the learner has one."""


class LearnerStore:
    """Saves and loads a shared learner.

    Any whole checkpoint will do to go on from: what it knows is a function of the records before its offset,
    and those that follow are read again.
    """

    def __init__(self, url: str, app: str, topic: str) -> None:
        self._store = CheckpointStore(url, f"{app}.learner")
        self._topic = topic

    def save(self, learner: SharedLearner) -> Checkpoint:
        """Write what it knows now."""
        frame = pl.DataFrame({"json": [json.dumps(learner.state(), sort_keys=True)]})
        content = CheckpointManifest({self._topic: TopicPosition(learner.offset, None)}, {}, "")
        return self._store.save(PLACE, {"learner": frame}, content)

    def committed(self, checkpoint: Checkpoint) -> None:
        """Remember that the group has the offset of a checkpoint, and remove old ones."""
        self._store.mark_committed(checkpoint)
        self._store.prune(PLACE, checkpoint)

    def discard(self, checkpoint: Checkpoint) -> None:
        """Remove a checkpoint that was written by one who is the learner no more."""
        self._store.discard(checkpoint)

    def load(self, learner: SharedLearner) -> bool:
        """Let a new learner go on from the newest checkpoint; return whether there was one."""
        found = self._store.newest(PLACE)
        if found is None:
            return False
        checkpoint, tables = found
        state: dict[str, Any] = json.loads(tables["learner"]["json"][0])
        if state["format"] != FORMAT:
            msg = f"{checkpoint.path}: the learner's state has format {state['format']}, not {FORMAT}"
            raise StateError(msg)
        learner.restore(state)
        log.info(
            "learner restored checkpoint=%(checkpoint)s offset=%(offset)d",
            {"checkpoint": checkpoint.path, "offset": learner.offset},
        )
        return True
