from __future__ import annotations

import pytest

from consumers.reports.identities import Identity


@pytest.mark.parametrize(
    ("left", "right", "holds"),
    [
        (3, 3, True),
        (0, 0, True),
        (0.1 + 0.2, 0.3, True),
        (1602, 1603, False),
        (0, 1, False),
        (1e9, 1e9 + 2, False),
    ],
)
def test_it_holds_but_for_the_rounding_of_sums(left: float, right: float, holds: bool) -> None:
    found = Identity("kept + lost = original", left, right)
    assert found.holds is holds
    assert found.as_dict() == {
        "what": "kept + lost = original",
        "left": left,
        "right": right,
        "holds": holds,
    }
