"""The inbound topics, in the order in which events of equal time are taken."""

from enum import IntEnum
from typing import Final


class Topic(IntEnum):
    """An inbound topic; the numbers follow the alphabet, which is the tie order of equal times."""

    ACTIONS = 0
    CLOSURES = 1
    COMPLAINTS = 2
    FEEDBACK = 3
    LOGINS = 4
    ORDERS = 5
    PROFILES = 6

    @property
    def label(self) -> str:
        """Return the topic's name as the contract spells it."""
        return self.name.lower()


FILE_TYPES: Final[dict[str, Topic]] = {
    "action": Topic.ACTIONS,
    "closure": Topic.CLOSURES,
    "complaint": Topic.COMPLAINTS,
    "feedback": Topic.FEEDBACK,
    "login": Topic.LOGINS,
    "order": Topic.ORDERS,
    "profile": Topic.PROFILES,
}
"""The word in a file's `type` field for each topic."""

REQUIRED: Final[tuple[Topic, ...]] = (Topic.COMPLAINTS, Topic.LOGINS, Topic.ORDERS)
"""The topics that every deployment has; the others are optional."""
