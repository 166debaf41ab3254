"""Words as classes: the same everywhere, few, and apart from each other."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np

from streams.core.features.catalogue import CLASSES, DTYPES
from streams.core.features.customers import ATTRIBUTES, Customers
from streams.core.features.words import CLASSES as COUNT
from streams.core.features.words import TIMES, classes_of, word_columns
from streams.core.model.logistic import KNOTS


def twin(word: str) -> tuple[int, ...]:
    """Write the hash to the base of seven and return its last three digits."""
    number = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
    digits = []
    for _ in range(3):
        number, digit = divmod(number, 7)
        digits.append(digit)
    return tuple(digits)


def test_each_word_has_a_class_three_times_over() -> None:
    words = [*CLASSES, "north", "Süd", "", "x" * 200, *(f"segment {n}" for n in range(200))]
    assert [classes_of(word) for word in words] == [twin(word) for word in words]
    assert {each for word in words for each in classes_of(word)} == set(range(COUNT))
    assert COUNT == KNOTS
    assert TIMES == len(word_columns("region")) == 3


def test_customer_classes_are_apart_and_most_words_are() -> None:
    assert len({classes_of(word) for word in CLASSES}) == len(CLASSES)
    of = [classes_of(f"region {n}") for n in range(100)]
    same = sum(a == b for a, b in combinations(of, 2))
    assert same < 3 * len(of) ** 2 / 2 / COUNT**TIMES


def test_customers_know_the_classes_of_words_that_come_later() -> None:
    customers = Customers()
    assert np.isnan(customers.vocabulary.classes()).all()
    codes = [customers.code("region", word) for word in ("north", "south")]
    first = customers.vocabulary.classes()[codes].tolist()
    late = customers.code("region", "west")
    assert customers.vocabulary.classes()[[*codes, late]].tolist() == [
        *first,
        [float(each) for each in classes_of("west")],
    ]
    assert first == [[float(each) for each in classes_of(word)] for word in ("north", "south")]
    assert np.isnan(customers.vocabulary.classes()[0]).all()


def test_no_rule_can_read_a_class() -> None:
    assert not {column for name in ATTRIBUTES for column in word_columns(name)} & set(DTYPES)
