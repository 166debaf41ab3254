"""From warnings to people and storage; for other services, `WarningStream` hands out a warning's steps."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from consumers.client import Refused, WarningStream
    from consumers.loop import Retryable

__all__ = ["Refused", "Retryable", "WarningStream"]

_PLACES: Final = {"Refused": "client", "Retryable": "loop", "WarningStream": "client"}


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: the sink and the notifier do not need it."""
    if name in _PLACES:
        return getattr(importlib.import_module(f"consumers.{_PLACES[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
