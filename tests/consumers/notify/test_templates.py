"""Templates: what they may use, where their mistakes are, and how far one can go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.notify.channels import Markup
from consumers.notify.facts import warning_facts
from consumers.notify.routes import LANGUAGES
from consumers.notify.template_samples import SAMPLES
from consumers.notify.templates import (
    KINDS,
    LONGEST_BODY,
    LONGEST_TITLE,
    MessageTemplate,
    TemplateMistake,
    Templates,
)
from streams.errors import SettingsError
from tests.consumers.warning_events import value


def template(source: str, language: str = "en") -> MessageTemplate:
    made = MessageTemplate("own/en/notice.txt", source, language)
    made.check()
    return made


def facts(**more: Any) -> dict[str, Any]:
    event = json.loads(value())
    return warning_facts(event["type"], event["data"]) | {"is_news": False, "note": None} | more


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_templates_are_right_for_every_sample(language: str) -> None:
    assert Templates().check(None, language, SAMPLES) == []
    assert set(SAMPLES) == set(KINDS)


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("t\n\n{{ customer }", 3, "unexpected '}'"),
        ("t\n{% if %}", 2, "Expected an expression"),
        ("t\n{{ customer.upper() }}", 2, "call is not for templates"),
        ("t\n{% for x in range(9) %}{% endfor %}", 2, "a loop goes over a list that it is given"),
        ("t\n{% set x = customer ~ customer %}", 2, "assign is not for templates"),
        ("t\n\n{% include 'x' %}", 3, "include is not for templates"),
        ("t\n{% import 'x' as y %}", 2, "import is not for templates"),
        ("t\n{% macro m() %}{% endmacro %}", 2, "macro is not for templates"),
        ("t\n{{ customer * 1000000000 }}", 2, "mul is not for templates"),
        ("t\n{{ 9 ** 999999999 }}", 2, "pow is not for templates"),
        ("t\n{{ '%999999999d' % 1 }}", 2, "mod is not for templates"),
        ("t\n{{ causes['__class__'] }}", 2, "getitem is not for templates"),
        ("t\n{{ customer | center(999999999) }}", 2, "there is no filter 'center'"),
        ("t\n{{ customer | replace('a', 'bbb') }}", 2, "there is no filter 'replace'"),
        ("t\n{% if customer is callable %}{% endif %}", 2, "there is no test 'callable'"),
        ("t\n{% for x in [1, 2] %}{% endfor %}", 2, "a loop goes over a list that it is given"),
        (
            "t\n{% for a in causes %}{% for b in causes %}\n{% for c in causes %}" + "{% endfor %}" * 3,
            3,
            "loops may be 2 deep",
        ),
        ("t\n{% for a in causes recursive %}{% endfor %}", 2, "loops may be 2 deep, and not recursive"),
    ],
)
def test_what_a_template_may_not_use_is_named_with_its_line(source: str, line: int, says: str) -> None:
    with pytest.raises(TemplateMistake) as caught:
        template(source)
    assert str(caught.value).startswith(f"own/en/notice.txt:{line}: "), caught.value
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("t\n\n{{ custommer }}", 3, "'custommer' is undefined"),
        ("t\n{% for cause in causes %}\n{{ cause.titel }}{% endfor %}", 3, "has no attribute 'titel'"),
        ("t\n{{ customer.__class__ }}", 2, "has no attribute '__class__'"),
        ("t\n{{ customer | percent }}", 2, "ValueError"),
        ("\nbody", 1, "the first line is the title, and it is empty"),
    ],
)
def test_what_is_not_there_is_found_when_it_is_checked(source: str, line: int, says: str) -> None:
    with pytest.raises(TemplateMistake) as caught:
        template(source).render(facts(), "UTC", Markup.NONE)
    assert (caught.value.line, says in str(caught.value)) == (line, True), caught.value


def test_values_are_escaped_by_the_channels_markup_and_what_the_template_says_is_not() -> None:
    made = template("**{{ customer }}**\n{{ customer | upper }} {{ customer ~ '!' }}")
    hostile = facts(customer="@all *x*")
    assert made.render(hostile, "UTC", Markup.NONE).title == "**@all *x***"
    assert made.render(hostile, "UTC", Markup.CHAT).title == "**@\u200ball *x***"
    rendered = made.render(hostile, "UTC", Markup.MARKDOWN)
    assert rendered.title == "**@\u200ball \\*x\\***"
    assert rendered.body == "@\u200bALL \\*X\\* @\u200ball \\*x\\*!"


def test_what_a_template_makes_is_bounded() -> None:
    causes = [{"title": "x" * 300}] * 500
    made = template(
        "{{ customer }}\n{% for a in causes %}{% for b in causes %}{{ b.title }}{% endfor %}{% endfor %}"
    )
    rendered = made.render(facts(customer="c" * 300, causes=causes), "UTC", Markup.NONE)
    assert len(rendered.title) == LONGEST_TITLE
    assert LONGEST_BODY - 400 < len(rendered.body) <= LONGEST_BODY + 1
    with pytest.raises(TemplateMistake, match="larger than"):
        template("t\n" + "x" * 20_000)


def test_numbers_and_times_are_those_of_the_language_and_the_receivers_clock() -> None:
    source = "t\n{{ opened_at | time }}; {{ probability | percent }}; {{ 1234.5 | money }}; {{ tier | tier }}"
    english = template(source).render(facts(), "Europe/Berlin", Markup.NONE)
    assert english.body == "2011-03-14 08:06 Europe/Berlin; 73%; 1,234.50; medium"
    chinese = template(source, "zh").render(facts(), "Asia/Shanghai", Markup.NONE)
    assert chinese.body == "2011年3月14日 15:06（Asia/Shanghai）; 73%; 1,234.50; 中"


def test_a_teams_own_template_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "short" / "zh"
    own.mkdir(parents=True)
    (own / "notice.txt").write_text("{{ customer }}\n{{ headline }}", encoding="utf-8")
    templates = Templates(tmp_path)
    assert templates.find("short", "zh", "notice").source.startswith("{{ customer }}")
    assert templates.find("short", "zh", "digest").source == templates.find(None, "zh", "digest").source
    assert templates.check("short", "zh", SAMPLES) == []
    (own / "digest.txt").write_text("{{ day | day }}\n{{ totall }}", encoding="utf-8")
    (own / "segment.txt").write_text("{{ value }}\n\n{% endif %}", encoding="utf-8")
    found = [str(each) for each in Templates(tmp_path).check("short", "zh", SAMPLES)]
    assert [each.removeprefix(f"{own}/").split(": ")[0] for each in found] == [
        "segment.txt:3",
        "digest.txt:2",
    ]


def test_templates_that_are_not_there_are_a_mistake(tmp_path: Path) -> None:
    (only,) = Templates(tmp_path).check("short", "en", SAMPLES)
    assert isinstance(only, SettingsError)
    assert str(only) == f"there are no templates 'short' in {tmp_path}"
    (only,) = Templates().check("short", "en", SAMPLES)
    assert "`notify_templates`" in str(only)
