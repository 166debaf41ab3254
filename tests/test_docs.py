"""What the pages say is so: commands exist, links lead somewhere, the map of folders is true."""

import contextlib
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from tests.command_lines import parse
from tests.paths import ROOT


def listed() -> list[str]:
    """Return the files that git tracks or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


PAGES = [ROOT / name for name in listed() if name.endswith(".md")]


def shown(page: Path) -> list[str]:
    """Return the command lines in the page's ```sh fences."""
    return [
        line
        for fence in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        for line in fence.replace("\\\n", " ").splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]


def named(page: Path) -> list[str]:
    """Return the commands of ours that the page's text names."""
    return re.findall(r"`((?:make|lapwing) [^`]+)`", text_of(page))


def text_of(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


SHOWN = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in shown(page)]
NAMED = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in named(page)]


def check(page: str, line: str) -> None:
    """Fail where the command is not one that exists."""
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
        case ["bash" | "sh", script, *_]:
            assert (ROOT / script).is_file()
        case [".", ".venv/bin/activate"] | ["git" | "docker" | "cd" | "pip", *_]:
            pass
        case _:
            pytest.fail(f"{page}: no way to check {line!r}")


def test_the_readme_shows_commands() -> None:
    first = [line.split()[:2] for page, line in SHOWN if page == "README.md"]
    assert ["make", "demo"] in first
    assert ["lapwing", "replay"] in first


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_every_command_that_is_shown_can_be_given(
    page: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    check(page, line)


@pytest.mark.parametrize(("page", "line"), NAMED)
def test_every_command_that_is_named_exists(page: str, line: str) -> None:
    with contextlib.suppress(click.MissingParameter):
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
    told = re.findall(r"^\| `([\w./-]+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted({Path(name).parts[0] for name in listed() if "/" in name})


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
