import re

import pytest

from consumers.reason_words import TEXTS, reason_text
from streams.core.model.reasons import TEXTS as ON_THE_WIRE


@pytest.mark.parametrize("language", TEXTS)
def test_every_reason_of_the_model_has_words_that_print_its_value_in_the_same_way(language: str) -> None:
    place = re.compile(r"\{[^}]*\}")
    assert TEXTS[language].keys() == ON_THE_WIRE.keys()
    for feature, text in ON_THE_WIRE.items():
        assert place.findall(TEXTS[language][feature]) == place.findall(text), feature


def test_what_is_not_known_here_stays_as_it_came() -> None:
    given = {"feature": "overdue", "value": 5.06, "text": "silent for 5.1 times the usual gap"}
    assert reason_text(given, "en") == given["text"]
    assert reason_text(given | {"feature": "of tomorrow"}, "zh") == given["text"]
    assert reason_text(given | {"value": "long"}, "zh") == given["text"]
    assert reason_text(given | {"value": None}, "zh") == given["text"]
    assert reason_text({"feature": "overdue", "value": 5.06, "text": ""}, "zh") is None
