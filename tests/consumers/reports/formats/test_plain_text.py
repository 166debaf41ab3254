"""The report in a terminal: columns stand under each other in both languages."""

import pytest

from consumers.reports.formats.plain_text import summary, text, width
from tests.consumers.reports.formats.documents import document


def test_the_summary_has_the_answer_and_the_figures() -> None:
    assert summary(document()).splitlines() == [
        "Customers and churn · March 2026",
        "",
        "3.8% (46 of 1,203).",
        "Kept: +1.0 points.",
        "",
        "Kept                 3.8%  46 of 1,203",
        "How customers fared    41",
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_numbers_end_at_the_same_place(language: str) -> None:
    lines = text(document(language)).splitlines()
    rows = [line for line in lines if line.rstrip().endswith("3.25")]
    assert len(rows) == 12
    assert len({width(line) for line in rows}) == 1


def test_all_sections_with_remarks_and_cautions_are_there() -> None:
    found = text(document())
    for part in (
        "BY SEGMENT",
        "    of which online",
        "+1.2 points (-0.4 to +3.0)",
        "Basis",
        "To keep in mind",
    ):
        assert part in found
