"""What may import what, and how long a file may be."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("streams", "consumers", "lapwing")
MOST_LINES = 350


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, folders
    return found


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """Return every module that a file imports, wherever in it."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = module(path).split(".") if path.name == "__init__.py" else module(path).split(".")[:-1]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, node.module] if node.module else base)
            # `from streams import contract` imports a module too.
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def importers(of: str, *folders: str) -> set[str]:
    """Return the files in `folders` that import the package `of` or something in it."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in sources(*folders)
        if any(name == of or name.startswith(of + ".") for name in imports(path))
    }


def test_core_imports_numpy_polars_and_the_standard_library_only() -> None:
    allowed = set(sys.stdlib_module_names) | {"numpy", "polars"}
    wrong = {
        (module(path), name)
        for path in sources("streams/core")
        for name in imports(path)
        if name.split(".")[0] not in allowed
        and not name.startswith("streams.core")
        and name not in ("streams", "streams.errors", "streams.duration")
        and not name.startswith(("streams.errors.", "streams.duration."))
    }
    assert wrong == set()


@pytest.mark.parametrize(
    "name",
    ["os", "pathlib", "time", "socket", "logging", "random", "asyncio", "threading", "subprocess"],
)
def test_core_has_no_clock_no_file_no_log_and_no_chance(name: str) -> None:
    assert importers(name, "streams/core") == set()


def test_core_asks_no_clock_and_opens_no_file() -> None:
    asking = {
        f"{module(path)}:{node.lineno}"
        for path in sources("streams/core")
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"))
        or (isinstance(node, ast.Name) and node.id in ("open", "print", "input"))
    }
    assert asking == set()


def test_faust_is_known_to_the_app_its_worker_and_the_transport_only() -> None:
    assert importers("faust", *PACKAGES) <= {
        "streams/app.py",
        "streams/worker.py",
        "streams/intake/transport.py",
    }


def test_kafka_python_is_known_to_one_file_only() -> None:
    assert importers("kafka", *PACKAGES) == {"consumers/kafka.py"}


def test_consumers_know_the_contract_and_the_errors_only() -> None:
    wrong = {
        (module(path), name)
        for path in sources("consumers")
        for name in imports(path)
        if name.startswith(("streams", "lapwing"))
        and name != "streams"
        and not name.startswith(("streams.contract", "streams.errors"))
    }
    assert wrong == set()


def test_streams_knows_nothing_of_who_uses_it() -> None:
    assert importers("consumers", "streams") == set()
    assert importers("lapwing", "streams", "consumers") == set()


def test_nothing_that_is_installed_imports_tests_or_scripts() -> None:
    assert importers("tests", *PACKAGES) | importers("scripts", *PACKAGES) == set()


def test_no_file_is_too_long_to_be_read_in_one_sitting() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in sources(*PACKAGES, "tests", "scripts")
    }
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "common", "types", "misc"}
    assert [
        path for path in sources(*PACKAGES, "tests", "scripts") if {path.stem, path.parent.name} & empty
    ] == []


def test_the_light_commands_do_not_import_faust() -> None:
    names = ", ".join(f"lapwing.commands.{name}" for name in ("tail", "sink", "notify", "topics", "act"))
    code = f"import sys, {names}; print('faust' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
