"""Instants that are no instants, for things that have not happened or do not end."""

from typing import Final

NEVER: Final = -(2**63)
"""The instant of something that has not happened: before every other."""
ALWAYS: Final = 2**63 - 1
"""An instant after every other."""
