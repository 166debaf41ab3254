"""What a PDF needs of the machine."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def printing() -> None:
    """Skip where no PDF in English and Chinese can be made."""
    from scripts.printing import lacking  # not to be found before pytest is configured

    if (why := lacking()) is not None:
        pytest.skip(f"no PDF here: {why}; python -m scripts.printing fetch")
