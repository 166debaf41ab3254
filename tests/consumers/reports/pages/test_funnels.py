from __future__ import annotations

from functools import cache

import pytest

from consumers.reports.document import MISSING, NOT_ENOUGH
from consumers.reports.funnels import Funnels, Stage, funnels, read_funnels
from consumers.reports.pages.funnels import STAGES, section
from consumers.reports.pages.names import NAMES, enough, named
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.core.events.action_words import RESULTS
from streams.share import Share
from tests.consumers.reports.pages.shown import is_shown, rows, table
from tests.consumers.reports.team_store import helped_shop
from tests.consumers.stored import empty_database


@cache
def made() -> Funnels:
    shop, database = helped_shop(4), empty_database()
    shop.store(database)
    with database.reading() as connection:
        return funnels(read_funnels(connection, shop.periods[3], shop.knowledge))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_of_the_funnels(language: str) -> None:
    part, found = made(), section(made(), Words(language))
    for key, own in (("funnel_warnings", part.warnings), ("funnel_lapsed", part.lapsed)):
        assert [row[1:] for row in rows(found, key)] == [
            [step.n, enough(step.of_before), enough(step.of_first), step.not_known] for step in own.steps
        ]
    tiers = rows(found, "funnel_by_tier")
    assert [row[1:] for row in tiers] == [[step.n for step in own.steps] for own in part.by_tier.values()]
    total = table(found, "funnel_by_tier").total
    assert total is not None
    assert list(total)[1:] == [sum(int(str(row[place])) for row in tiers) for place in range(1, len(total))]
    contacts = sum(part.results.values())
    assert [row[1:] for row in rows(found, "funnel_results")] == [
        [n, enough(Share(n, contacts))] for n in part.results.values()
    ]
    is_shown(found, language)


def test_a_share_of_few_is_not_enough_to_say_anything() -> None:
    assert enough(Share(0, 0)) is MISSING
    assert enough(Share(3, TOO_FEW - 1)) is NOT_ENOUGH
    assert enough(Share(3, TOO_FEW)) == Share(3, TOO_FEW)


def test_what_is_in_no_step_is_said() -> None:
    found = section(made(), Words())
    beside = made().warnings.beside
    assert f"{beside['held_out']} were held out" in found.remarks[0]
    assert found.definitions[0].exclusions == [("accepted, horizon not over", beside["not_matured"])]


def test_every_step_and_every_word_of_the_contract_has_a_name() -> None:
    assert set(STAGES) == set(Stage)
    assert set(RESULTS) <= set(NAMES)
    assert named("key", Words("zh")) != "key"
    assert named("our own word", Words("zh")) == "our own word"
    assert named(None, Words()) == "not known"
