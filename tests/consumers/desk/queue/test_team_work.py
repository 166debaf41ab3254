from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.desk.queue.team_work import MOST_INSTANTS, AttendedSince, FirstAttended

firsts = st.lists(
    st.builds(FirstAttended, st.integers(0, 9), st.sampled_from(["ann", "bob", None])), max_size=3
)
notes = st.lists(st.tuples(st.sampled_from("abc"), firsts.map(tuple)), max_size=12)


@given(notes, st.lists(st.integers(0, 10), max_size=12))
def test_who_was_attended_to_since_an_instant_is_as_if_it_were_counted_anew(
    given_notes: list[tuple[str, tuple[FirstAttended, ...]]], begins: list[int]
) -> None:
    kept, known = AttendedSince(), dict[str, tuple[FirstAttended, ...]]()
    for number, (customer, first) in enumerate(given_notes):
        kept.note(customer, first)
        known[customer] = first
        for begin in begins[: number + 1]:
            expected = {
                actor: {c for c, each in known.items() for f in each if f.actor == actor and f.at >= begin}
                for actor in ("ann", "bob", None)
            }
            found = kept.since(begin)
            assert {actor: found.get(actor, set()) for actor in expected} == expected


def test_instants_of_long_ago_are_not_kept() -> None:
    kept = AttendedSince()
    kept.note("a", (FirstAttended(5, "ann"),))
    for begin in range(3 * MOST_INSTANTS):
        kept.since(begin)
    assert len(kept._since) == MOST_INSTANTS
    assert kept.since(0) == {"ann": {"a"}}
