"""How somebody is found."""

from consumers.desk.people.people import TOKEN_PREFIX, People, new_token, token_hash
from consumers.desk.people.person import Person, Role
from tests.consumers.desk.desks import STAFF, TOKENS, member


def test_everybody_is_found_by_what_is_theirs_alone() -> None:
    people = People(map(member, STAFF))
    for each in people.members:
        name = each.person.name
        assert people.named(name) is each
        assert people.with_token(TOKENS[name]) is each
        assert people.with_token(f" {TOKENS[name]}\n") is each
        assert people.with_email(f"{name.upper()}@Shop.example") is each
        assert people.known_as(name) is people.known_as(f"{name}@shop.example") is each


def test_nothing_finds_nobody() -> None:
    """What somebody does not have must not be found by being empty."""
    people = People([member(Person("vic", Role.VIEWER), token_hash=None, email=None)])
    for nothing in ("", "None", " "):
        assert people.with_token(nothing) is None
        assert people.with_email(nothing) is None
        assert people.with_subject(nothing) is None
        assert people.known_as(nothing) is None
        assert people.named(nothing) is None


def test_a_token_is_long_and_another_each_time() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(each.startswith(TOKEN_PREFIX) and len(each) >= 50 for each in tokens)
    assert len({token_hash(each) for each in tokens}) == 100
