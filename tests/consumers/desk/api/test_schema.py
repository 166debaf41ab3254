"""The API is what its description says, whatever it is asked: by schemathesis, over a desk with data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction, load_all_checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from consumers.database.database import Database
from consumers.desk.api.schema import schema
from consumers.desk.app import create_app
from consumers.desk.people.attempts import AttemptLimits
from tests.consumers.desk.desks import TOKENS, Staff, browser, desk_over
from tests.consumers.desk.queue.test_board import filled, instants

EXAMPLES: Final = 8
"""Of each question and kind of data: right by the description, and wrong."""
HEADERS: Final = {"Authorization": f"Bearer {TOKENS['olga']}"}

load_all_checks()
DESCRIBED: Final = schema("Lapwing desk")
QUESTIONS: Final = [(path, method) for path, methods in DESCRIBED["paths"].items() for method in methods]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenApiSchema]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('api') / 'desk.db'}")
    database.prepare()
    now = instants()[4]
    filled(database, now)
    limits = AttemptLimits(failed_by_address=10**9, changes=10**9)
    desk = desk_over(database, now, staff=Staff(), app="shop", limits=limits)
    desk.reports.wait_s = 60
    found = schemathesis.openapi.from_dict(DESCRIBED)
    found.app = create_app(desk)
    yield found
    database.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize(("path", "method"), QUESTIONS)
def test_every_answer_is_as_described(
    described: OpenApiSchema, path: str, method: str, mode: GenerationMode
) -> None:
    question = described[path][method]
    # What a schema cannot say is refused too: an end that lies in the past, a play without a name.
    excluded: list[CheckFunction] = [positive_data_acceptance]
    if method == "get":
        # In an address everything is text: `segment=false` asks for a segment of that name.
        excluded.append(negative_data_rejection)

    @seed(14)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=question.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        answer = case.call(headers=HEADERS)
        case.validate_response(answer, headers=HEADERS, excluded_checks=excluded)

    ask()


def test_the_description_is_for_those_who_may_ask(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    assert browser(desk).get("/api/openapi.json").status_code == 401
    found = browser(desk, as_="vic").get("/api/openapi.json").json()
    assert found["openapi"].startswith("3.")
    assert set(found["paths"]) >= {"/api/queue", "/api/actions", "/api/me", "/api/lapsed", "/api/report"}
    assert all(path.startswith("/api/") for path in found["paths"])
    assert found["security"] == [{"token": []}]
