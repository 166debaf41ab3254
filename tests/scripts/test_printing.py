from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts import printing
from scripts.debian import Missing
from scripts.printing import PACKAGES, fetch, lacking
from tests.paths import ROOT


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    lacking.cache_clear()
    yield
    lacking.cache_clear()


def test_a_machine_without_a_font_for_chinese_lacks_it(printing: None, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    )
    asked = "from scripts.printing import lacking; print(lacking())"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"客", "户", "留", "存"} <= set(done.stdout)


def test_what_is_missing_is_installed_and_then_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    answers = iter([1, 0])

    def run(*_words: object, **_how: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], next(answers), "", "客")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(printing, "install", lambda wanted, *packages: asked.append(packages))
    fetch()
    assert asked == [PACKAGES]


def test_what_is_missing_after_that_too_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = subprocess.CompletedProcess([], 1, "", "客, 户\n")
    monkeypatch.setattr(subprocess, "run", lambda *_words, **_how: lacks)
    monkeypatch.setattr(printing, "install", lambda *_given: None)
    with pytest.raises(Missing, match=r"nor after installing .*fonts-noto-cjk: 客, 户"):
        fetch()


@pytest.mark.parametrize("page", ["docs/report.md", "Dockerfile"])
def test_who_installs_by_hand_is_told_the_same_packages(page: str) -> None:
    text = (ROOT / page).read_text()
    assert [package for package in PACKAGES if package not in text] == []
