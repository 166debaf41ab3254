"""What the pages say is so: commands exist, links lead somewhere, the map of folders is true."""

import contextlib
import importlib
import inspect
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest

from scripts import console, site
from tests.command_lines import parse
from tests.lapwing.test_cli import EVERY
from tests.paths import ROOT


def listed() -> list[str]:
    """Return the files that git tracks or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


PAGES = [ROOT / name for name in listed() if name.endswith(".md")]


def shown(page: Path) -> list[str]:
    """Return the command lines in the page's ```sh and ```console fences."""
    given = [
        line
        for fence in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        for line in fence.replace("\\\n", " ").splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return given + [each.command.partition(" | ")[0] for each in console.shown(page)]


def named(page: Path) -> list[str]:
    """Return the commands of ours that the page's text names."""
    return re.findall(r"`((?:make|lapwing) [^`]+)`", text_of(page))


def text_of(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


SHOWN = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in shown(page)]
NAMED = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in named(page)]


def check(page: str, line: str) -> None:
    """Fail where the command is not one that exists, or one of several that `&&` joins."""
    for part in line.split("&&"):
        check_one(page, part)


def check_one(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    while re.match(r"\w+=", words[0]):
        words.pop(0)
    match words:
        case ["make", *targets]:
            known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
            assert {target for target in targets if "=" not in target} <= known
        case ["lapwing", "--help"]:
            pass
        case ["lapwing", *rest]:
            parse(rest)
        case ["head", _, name]:
            assert (ROOT / name).is_file()
        case ["bash" | "sh", script, *_]:
            assert (ROOT / script).is_file()
        case ["python", "-m", module, *_] if module.startswith("scripts."):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
        case ["curl", "-s", address]:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/(?:metrics|healthz|readyz)", address)
        case ["promtool", "query", "instant", "http://127.0.0.1:9090", _expression]:
            pass  # tests/integration/monitoring/test_expressions.py runs it
        case [".", ".venv/bin/activate"] | ["git" | "docker" | "kubectl" | "cd" | "pip" | "apt-get", *_]:
            pass
        case _:
            pytest.fail(f"{page}: no way to check {line!r}")


def test_the_readme_begins_with_a_result_then_the_demo_and_the_tests() -> None:
    text = (ROOT / "README.md").read_text()
    places = [text.index(each) for each in ("$ lapwing replay", "make demo ", "make test ", "lapwing worker")]
    assert places == sorted(places)


@pytest.mark.timeout(900)  # whole commands on real data, beside the other tests
@pytest.mark.parametrize("page", [page for page in PAGES if console.shown(page)], ids=lambda page: page.name)
def test_what_a_page_shows_of_a_command_is_what_it_prints(page: Path, tmp_path: Path) -> None:
    """`make readme` writes it anew."""
    for name in ("examples", "warning_rules"):
        (tmp_path / name).symlink_to(ROOT / name)
    examples = console.shown(page)
    with ThreadPoolExecutor(len(examples)) as pool:
        printed = list(pool.map(lambda each: each.run(tmp_path), examples))
    for example, output in zip(examples, printed, strict=True):
        expected, found = (NUMBER.split(console.without_seconds(text)) for text in (example.output, output))
        assert found == expected, output
        # On another processor a probability may end in another digit, and a threshold makes that a warning.
        assert numbers(console.without_seconds(output)) == pytest.approx(
            numbers(console.without_seconds(example.output)), rel=0.02
        )


NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in NUMBER.findall(text)]


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_every_command_that_is_shown_can_be_given(
    page: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    check(page, line)


@pytest.mark.parametrize(("page", "line"), NAMED)
def test_every_command_that_is_named_exists(page: str, line: str) -> None:
    with contextlib.suppress(click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        check(page, line)


def test_a_command_that_is_not_there_would_be_found() -> None:
    for wrong in (["lapwng"], ["replay"], ["sink", "--brokr", "a:1"], ["rules", "chek", "warning_rules"]):
        with pytest.raises(click.UsageError):
            parse(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(page))
    files = set(listed())
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    for target in targets:
        if "://" not in target:
            name = (page.parent / target).resolve().relative_to(ROOT).as_posix()
            assert name in files | folders, f"{target} is not there"


def test_the_map_of_folders_is_true() -> None:
    text = (ROOT / "README.md").read_text()
    rows = re.findall(r"^\| `([\w./-]+)/` \| (.*) \|$", text, re.MULTILINE)
    folders = {parent.as_posix() for name in listed() for parent in Path(name).parents} - {"."}
    assert {place for place, _ in rows} <= folders
    assert {place for place, _ in rows if "/" not in place} == {name for name in folders if "/" not in name}
    mapped = {place for place, _ in rows} | {
        each for _, row in rows for each in re.findall(r"`([\w/]+)/`", row)
    }
    rooms = {name for name in folders if re.fullmatch(r"streams/\w+", name)}
    assert rooms <= mapped | {f"streams/{name}" for name in mapped}


FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
SCRIPTS = [name for name in listed() if re.match(r"(benchmarks|scripts|tests/faults)/.*\.py$", name)]
"""They have flags of their own, as have the tests."""
FLAGS = {"--help", "--build", "--detach", "--profile"}.union(  # click's, docker compose's
    *(re.findall(FLAG, (ROOT / name).read_text()) for name in (*SCRIPTS, "tests/conftest.py")),
    *((*each.opts, *each.secondary_opts) for command in EVERY.values() for each in command.params),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_flag_that_is_named_exists(page: Path) -> None:
    named = {flag for code in re.findall(r"`([^`\n]+)`", text_of(page)) for flag in re.findall(FLAG, code)}
    assert named - FLAGS == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_that_is_named_exists(page: Path) -> None:
    """A path in code font with a folder of ours in front: a file, or a pattern that some file fits."""
    files = set(listed())
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    tops = "|".join(sorted(re.escape(name) for name in folders if "/" not in name and name != "."))
    for name in re.findall(rf"`((?:{tops})/[\w./*-]*)`", text_of(page)):
        if name.startswith("deploy/local/"):  # made by deploy/prepare.sh: tests/test_compose.py
            continue
        beside = (page.parent.relative_to(ROOT) / name).as_posix()
        found = {
            *(file for file in files | folders if fnmatch(file, name.rstrip("/").replace("NAME", "*"))),
            beside,
        } & (files | folders)
        assert found, f"{name} is not there"


def test_every_word_of_the_glossary_has_its_class() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+) \| ([^|]+) \| `([\w.]+)` \|$", text, re.MULTILINE)
    assert len(rows) >= 25
    assert len({word for word, _, _ in rows}) == len(rows)
    for word, meaning, place in rows:
        module, _, name = place.rpartition(".")
        assert inspect.isclass(getattr(importlib.import_module(module), name)), word
        assert meaning.endswith("."), word


def test_the_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    pages = {name for name in listed() if re.fullmatch(r"docs/\w+\.md", name)}
    assert {page for page in pages if f"]({page})" not in text} == set()


def test_the_site_has_every_page() -> None:
    """Whoever adds a page gives it its place in the navigation of zensical.toml."""
    pages = site.in_navigation()
    assert len(pages) == len(set(pages))
    ours = {
        name for name in listed() if name.endswith(".md") and not name.startswith(("tests/", "benchmarks/"))
    }
    assert set(pages) == ours | set(site.MADE)


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    made = site.build(tmp_path)
    for name in site.in_navigation():
        page = made / (f"{name.removesuffix('.md')}/".replace("README/", "")) / "index.html"
        text = page.read_text()
        loaded = re.findall(
            r"<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)=[\"']?([^\"'\s>]+)", text
        )
        assert loaded, name
        assert [address for address in loaded if re.match(r"(?:https?:)?//", address)] == [], name
        # The theme would fetch what shows these.
        assert not re.search(r"class=[\"']?(?:mermaid|glightbox|pyodide)", text), name
    for style in made.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()), style


def test_a_link_that_leads_nowhere_stops_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        (folder / "README.md").write_text("# Home\n\n[nowhere](docs/nowhere.md)\n")

    monkeypatch.setattr(site, "collect", broken)
    with pytest.raises(subprocess.CalledProcessError):
        site.build(tmp_path)


def test_no_file_names_a_machine() -> None:
    """No path of a home folder and no address of a package registry is in a file that is committed."""
    pattern = re.compile(r"/(?:root/|home/\w|Users/\w)|--(?:extra-)?index-url")
    readable = {".py", ".toml", ".txt", ".md", ".yml", ".yaml", ".xml", ".sh", ".svg", ""}
    texts = [name for name in listed() if Path(name).suffix in readable]
    found = {
        name
        for name in texts
        if name != Path(__file__).relative_to(ROOT).as_posix() and pattern.search((ROOT / name).read_text())
    }
    assert found == set()


def test_constraints_are_exact_and_name_no_registry() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line)] == []
    assert len(lines) > 30


def test_every_dependency_is_pinned() -> None:
    def names(text: str) -> set[str]:
        found = re.findall(r"^ *\"?([A-Za-z][A-Za-z0-9._-]+)(?:\[[a-z]+\])?[><=]=", text, re.MULTILINE)
        return {re.sub(r"[-_.]+", "-", name).lower() for name in found}

    project = (ROOT / "pyproject.toml").read_text()
    declared = names(project[project.index("dependencies = [") : project.index("[project.scripts]")])
    assert declared
    assert declared - names((ROOT / "constraints.txt").read_text()) == set()
