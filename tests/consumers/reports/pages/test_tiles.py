"""A figure that is read first claims no more than its numbers do."""

import pytest

from consumers.reports.document import Tile
from consumers.reports.pages.tiles import share_tile
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.share import Share


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (Share(5, TOO_FEW), Tile("25.0%", "kept", "5 of 20")),
        (Share(5, TOO_FEW - 1), Tile("5 of 19", "kept", "too few to say more")),
        (Share(0, 0), Tile("–", "kept", "0 of 0")),
    ],
)
def test_a_share_of_few_is_its_numbers(share: Share, expected: Tile) -> None:
    assert share_tile(share, "kept", Words()) == expected
