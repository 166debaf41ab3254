"""The commands of each page, in its order, in a folder of its own, on a small shop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapwing.demo.broker import EmbeddedBroker, broker_binary
from streams.errors import DemoError
from tests.integration.documented.commands import ELSEWHERE, Page, compared, elsewhere, pages, to_type
from tests.integration.documented.shop import SHOP, Installation, Reader, reader, write_example
from tests.integration.monitoring.monitored import Hook
from tests.paths import ROOT

PAGES = pages()
HERE = to_type(PAGES)

pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Yield one on a broker of its own: pages use the topics' usual names."""
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))
    with EmbeddedBroker() as broker:
        made = Installation(tmp_path_factory.mktemp("installation"), broker.address)
        try:
            made.take_in()
            yield made
        finally:
            for name in list(made.processes):
                made.stop(name)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("example") / "events.jsonl.gz"
    write_example(path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that pages take for granted."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copytree(ROOT / "warning_rules", folder / "warning_rules")
    for line in (
        f"lapwing simulate {' '.join(SHOP)} --capacity 5 --out shop.jsonl --truth truth.jsonl",
        "gzip --keep --stdout shop.jsonl > events.jsonl.gz",
        "lapwing simulate --customers 500 --days 500 --start 2023-03-01 --out events.parquet",
        "lapwing replay shop.jsonl --outcomes outcomes.jsonl --out warnings.jsonl",
    ):
        Reader(folder, {}).type(line)
    shutil.rmtree(folder / "warning_rules")
    return folder


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    """Yield what takes the team's notices."""
    found = Hook()
    yield found
    found.close()


@pytest.mark.parametrize("page", HERE, ids=lambda page: page.name)
def test_every_command_of_a_page_works(
    page: Page, installation: Installation, example: Path, files: Path, hook: Hook, tmp_path: Path
) -> None:
    somebody = reader(tmp_path, installation, example, files, hook.place)
    mistakes = []
    try:
        for line in page.lines:
            try:
                somebody.type(line)
            except AssertionError as mistake:
                mistakes.append(str(mistake))
        somebody.finish()
    finally:
        somebody.close()
    assert not mistakes, "\n\n".join(mistakes)


def test_what_is_not_run_here_is_shown_somewhere() -> None:
    """An entry without a command would hide one that comes later."""
    shown = {elsewhere(line) for page in PAGES for line in page.lines}
    assert ELSEWHERE.keys() - shown == set()


def test_every_command_is_typed_once_or_run_elsewhere() -> None:
    typed = [line for page in HERE for line in set(page.lines)]
    assert len(typed) == len(set(typed))
    shown = {line for page in PAGES for line in page.lines if elsewhere(line) is None}
    with_output = set().union(*map(compared, PAGES))
    assert set(typed) == shown - with_output
    assert with_output <= shown


def test_a_command_that_is_shown_with_its_output_is_compared_and_not_typed_again() -> None:
    (page,) = (page for page in PAGES if page.name == "README.md")
    shown = "lapwing replay examples/online_retail_ii.jsonl.gz --out warnings.jsonl"
    assert shown in compared(page)
    more = Page("docs/more.md", (shown, "lapwing topics", "lapwing topics"))
    assert to_type([page, more])[1:] == [Page("docs/more.md", ("lapwing topics", "lapwing topics"))]
    assert [each.name for each in to_type([page, Page("docs/more.md", (page.lines[-1],))])] == [page.name]


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ended with 1"):
        Reader(tmp_path, {}).type("lapwing replay nowhere.jsonl.gz --out warnings.jsonl")
