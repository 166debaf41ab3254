from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.desk.queue.filter import FLAGS, QUEUED, WORDS, QueueFilter
from consumers.desk.queue.order import Section

TEXTS = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)
PAIRS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(WORDS), TEXTS),
        st.tuples(st.sampled_from(FLAGS), st.just("1")),
        st.tuples(st.just("show"), st.sampled_from([each.word for each in Section])),
        st.tuples(st.just("customer"), TEXTS),
    ),
    max_size=12,
)


@given(PAIRS)
def test_a_filter_stands_in_the_address_and_is_read_from_there(pairs: list[tuple[str, str]]) -> None:
    made = QueueFilter.from_query(pairs)
    assert QueueFilter.from_query(made.to_pairs()) == made
    assert made.is_empty == (not pairs)


@given(PAIRS.filter(bool))
def test_a_part_of_it_can_be_taken_away(pairs: list[tuple[str, str]]) -> None:
    made = QueueFilter.from_query(pairs)
    for pair in made.to_pairs():
        assert pair not in made.without(*pair).to_pairs()
        assert {*made.without(*pair).to_pairs(), pair} == set(made.to_pairs())


@pytest.mark.parametrize(
    ("pairs", "sections"),
    [
        ([], QUEUED),
        ([("mine", "1")], (*QUEUED, Section.ATTENDED)),
        ([("show", "dont")], (Section.DONT,)),
        ([("show", "held-out"), ("show", "today")], (Section.HELD_OUT, Section.TODAY)),
        ([("show", "nonsense"), ("page", "9"), ("tier", " ")], QUEUED),
    ],
)
def test_what_waits_is_shown_unless_something_else_is_asked_for(pairs: Any, sections: Any) -> None:
    assert QueueFilter.from_query(pairs).sections == sections
