"""Figures that are read first."""

from __future__ import annotations

from consumers.reports.document import Tile
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.share import Share


def share_tile(share: Share, what: str, words: Words) -> Tile:
    """Return a share in per cent with its numbers; of too few to say anything the numbers alone."""
    if 0 < share.whole < TOO_FEW:
        return Tile(words.of(share), what, words.gettext("too few to say more"))
    return Tile(words.percent(share.value), what, words.of(share))
