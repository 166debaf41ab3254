"""Every page, in both languages, light and dark, on a desk and on a phone: readable by everybody."""

from __future__ import annotations

from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types

from tests.integration.desk.conftest import Open

STANDARDS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS: Final[dict[str, dict[str, Any]]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


pytestmark = pytest.mark.any_broker
LOOKS: Final = [("light", "en-GB"), ("dark", "zh-CN"), ("phone", "en-GB"), ("phone", "zh-CN")]


@pytest.mark.parametrize(("screen", "language"), LOOKS)
def test_every_page_can_be_used_by_everybody(open_page: Open, screen: str, language: str) -> None:
    page = open_page("/", locale=language, **SCREENS[screen])
    links = page.locator("nav a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert len(links) > 8
    wrong = []
    for path in dict.fromkeys(links):
        page.goto(path)
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": STANDARDS}})
        for each in found.response["violations"]:
            wrong.append((path, each["id"], [node["html"] for node in each["nodes"]]))
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        if page.evaluate(wide) > 0:
            wrong.append((path, "it is wider than the screen", []))
    assert wrong == []
