"""Every page, in both languages, light and dark, on a desk and on a phone: readable by everybody."""

from __future__ import annotations

from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types

from tests.integration.desk.conftest import Open

PAGES: Final = ("/",)
STANDARDS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS: Final[dict[str, dict[str, Any]]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everybody(open_page: Open, path: str, screen: str, language: str) -> None:
    page = open_page(path, locale=language, **SCREENS[screen])
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": STANDARDS}})
    wrong = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]]
    assert wrong == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page is wider than the screen"
