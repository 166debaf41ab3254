"""What was ever found is read or refused, and so is what lies near it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.kept import CORPUS, inputs
from tests.fuzz.mutants import mutant
from tests.fuzz.targets import CORPUS_OF, TARGETS


def test_every_target_has_inputs_and_no_folder_is_left_over() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= TARGETS.keys()
    assert set(CORPUS_OF) <= TARGETS.keys()
    assert [name for name in TARGETS if not inputs(name)] == []


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_is_read_or_refused(name: str) -> None:
    for path in inputs(name):
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30)
@given(random=st.randoms(use_true_random=False), data=st.data())
def test_what_is_nearly_right_is_read_or_refused(name: str, random: Random, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(inputs(name)))
    TARGETS[name](mutant(path.read_bytes(), random))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=10)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    TARGETS[name](content)
