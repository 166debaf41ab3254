"""What may import what, and where each thing is tested."""

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ("streams", "consumers", "lapwing")

ORDER: dict[str, tuple[str, ...]] = {
    # A room may import those before it in its line, never those after it.
    "streams.core": (
        *(
            "decision",
            "events",
            "steps",
            "conditions",
            "features",
            "name_ids",
            "observer",
            "rules",
            "model",
            "warnings",
            "outcomes",
            "segments",
        ),
        *("erasures", "engine_io", "engine", "state_tables", "removal", "analysis", "explain"),
    ),
    "streams": (
        *(
            "errors",
            "duration",
            "redact",
            "summed_log",
            "share",
            "kafka",
            "telemetry",
            "core",
            "contract",
            "files",
            "rulebook",
            "inputs",
            "imports",
            "learning",
            "simulate",
        ),
        *("intake", "checkpoints", "offline", "backtest", "quality", "worker", "trainer"),
    ),
    "streams.files": ("parquet_columns", "parquet", "content", "packing", "events", "tables"),
    "streams.imports": (
        *("files", "groups", "mapped", "batch", "work_file", "reading", "event_files", "preset"),
        *("sample", "guess", "proposal"),
    ),
    "streams.intake": (
        *(
            "poll",
            "record_batches",
            "idle",
            "lane",
            "merge",
            "produce_times",
            "broker",
            "topic_ids",
            "topic_tail",
            "sent_steps",
            "model_topic",
            "erasure_topic",
        ),
        *("standing_refusals", "partition", "originals", "transport", "history"),
    ),
    "streams.telemetry": (
        "logs",
        "histogram",
        "metric",
        "health",
        "registry",
        "process_metrics",
        "endpoint",
        "snapshots",
    ),
    "streams.checkpoints": ("store", "erasures", "restore", "save"),
    "streams.learning": ("hats", "reservoir", "learner", "candidates", "drift", "shared"),
    "streams.trainer": ("settings", "store", "run", "metrics"),
    "streams.worker": (
        *(
            "settings",
            "task",
            "stall_watch",
            "refusal_log",
            "rule_notices",
            "rule_rollout",
            "input_rollout",
            "schema_wait",
            "delivery",
        ),
        "erasure_rollout",
        "record_sender",
        "model_rollout",
        "model_watch",
        *(
            "outbox",
            "assignment",
            "task_states",
            "stats",
            "pipeline",
            "metrics",
            "dry_run",
            "app",
            "segment_judge",
            "open_warnings",
            "rebuild",
            "run",
        ),
    ),
    "streams.rulebook": (
        *(
            "yaml",
            "reader",
            "findings",
            "fields",
            "rule_file",
            "plays_file",
            "reasons_file",
            "routes_file",
            "people_file",
        ),
        *("files", "cases", "load", "diff", "revisions"),
        *("watch", "lint"),
    ),
    "streams.inputs": (
        *("paths", "texts", "money", "contract_fields", "numbers", "times"),
        *("field_entry", "filter_entry", "event_entry", "source_entry", "inputs_file"),
        *("problems", "rates", "records", "filters", "fields", "source", "formats", "load", "watch", "lint"),
    ),
    "consumers": (
        *(
            "charts",
            "page",
            "spreadsheet",
            "language",
            "contract_words",
            "loop",
            "collector",
            "web",
            "broker",
            "database",
            "decision",
            "reason_words",
            "complaint_lives",
            "tail",
            "open_set",
            "client",
            "audit",
            "silences",
            "erasure",
            "models",
            "stored_warnings",
            "actions",
            "drafts",
            "scorecard",
            "lapsed",
            "muting",
            "sink",
            "effects",
            "reports",
            "notify",
            "desk",
            "ingest",
            "follow",
        ),
    ),
    "consumers.desk": (
        *(
            "config",
            "clock",
            "metrics",
            "rulebook",
            "installation",
            "reports",
            "silences",
            "local_times",
            "refusals",
            "people",
            "acting",
        ),
        *("queue", "live", "desk", "addresses", "rendering", "errors", "spreadsheet", "surroundings"),
        *("customer", "pages", "api", "app"),
    ),
    "lapwing": (
        *(
            "settings",
            "terminal",
            "topic_plan",
            "registry",
            "mapped_topics",
            "follow",
            "stored_inputs",
            "access_plan",
            "database",
            "erasure",
            "inputs",
            "event_files",
            "presets",
            "import_to_kafka",
            "wiring",
            "routes",
            "reports",
            "lag",
            "monitoring",
            "endpoints",
            "supervision",
            "explain",
            "desk",
            "people",
            "ingest",
        ),
        *(
            "features_page",
            "metrics_page",
            "dry_run",
            "doctor",
            "operations",
            "backtest",
            "quality",
            "scorecard",
            "cloud_events",
        ),
        *("effects", "demo", "commands", "fields_page", "cli", "commands_page", "__main__"),
    ),
}


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
    allowed = set(sys.stdlib_module_names) | {"numpy", "polars", "lark"}
    assert importers("lark", *PACKAGES) == {"streams/core/conditions/parser.py"}
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


PARTS = (
    "engine",
    "customers",
    "deduplicator",
    "reorder",
    "episodes",
    "source_guard",
    "scorer",
    "delayed_labels",
    "learner",
)


def test_nobody_writes_the_attributes_of_an_engine_or_of_its_parts() -> None:
    written = {
        f"{module(path)}:{node.lineno} {node.attr}"
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and (
            (isinstance(node.value, ast.Attribute) and node.value.attr in PARTS)
            or (isinstance(node.value, ast.Name) and node.value.id in PARTS)
        )
    }
    assert written == set()


def rooms_of(place: str) -> set[str]:
    """Return the files and folders that stand in a package."""
    inside = (ROOT / place.replace(".", "/")).iterdir()
    return {
        path.stem
        for path in inside
        if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").is_file())
    } - {"__init__"}


@pytest.mark.parametrize("place", ORDER)
def test_every_room_has_its_place_in_the_order(place: str) -> None:
    assert sorted(ORDER[place]) == sorted(rooms_of(place))


@pytest.mark.parametrize("place", ORDER)
def test_nothing_is_imported_upwards(place: str) -> None:
    rank = {room: number for number, room in enumerate(ORDER[place])}
    depth = len(place.split("."))

    def room(name: str) -> str | None:
        parts = name.split(".")
        inside = parts[:depth] == place.split(".") and len(parts) > depth
        return parts[depth] if inside and parts[depth] in rank else None

    upwards = {
        (module(path), name)
        for path in sources(place.replace(".", "/"))
        for name in imports(path)
        if (here := room(module(path))) and (there := room(name)) and rank[there] > rank[here]
    }
    assert upwards == set()


def named_elsewhere(folder: Path) -> dict[str, Path]:
    """Return, by module, the test file that the docstring of a folder of tests names for it."""
    place = folder / "__init__.py"
    text = ast.get_docstring(parsed(place)) if place.is_file() else None
    found: dict[str, Path] = {}
    for line in (text or "").splitlines()[2:]:
        names, _, where = line.partition(": ")
        here = folder / f"{where}.py"
        for name in names.split(", "):
            found[name] = here if here.is_file() else ROOT / "tests" / f"{where}.py"
    return found


def test_every_module_has_a_test_file_or_a_line_that_says_where_it_is_tested() -> None:
    modules: dict[Path, set[str]] = {}
    for path in sources(*PACKAGES):
        # Revisions are tested as the chain that they are: consumers/database/migrations/test_runner.py.
        if path.name not in ("__init__.py", "__main__.py") and path.parent.name != "versions":
            modules.setdefault(ROOT / "tests" / path.parent.relative_to(ROOT), set()).add(path.stem)
    for folder, names in modules.items():
        elsewhere = named_elsewhere(folder)
        without = {name for name in names if not (folder / f"test_{name}.py").is_file()}
        assert set(elsewhere) == without, folder
        assert [where for where in elsewhere.values() if not where.is_file()] == []


def test_every_folder_says_what_belongs_there() -> None:
    silent = [
        path.parent.relative_to(ROOT).as_posix()
        for path in sources(*PACKAGES)
        if path.name == "__init__.py" and not ast.get_docstring(parsed(path))
    ]
    assert silent == []


def test_faust_is_known_to_the_app_its_worker_and_the_transport_only() -> None:
    assert importers("faust", *PACKAGES) <= {
        "streams/worker/app.py",
        "streams/worker/run.py",
        "streams/intake/transport.py",
    }


def test_kafka_python_is_known_to_one_file_only() -> None:
    assert importers("kafka", *PACKAGES) == {"consumers/broker/client.py"}


def test_consumers_know_the_contract_and_what_every_process_needs_only() -> None:
    rooms = ("contract", "errors", "duration", "redact", "share", "summed_log", "kafka", "telemetry")
    wrong = {
        (module(path), name)
        for path in sources("consumers")
        for name in imports(path)
        if name.startswith(("streams", "lapwing"))
        and name != "streams"
        and not name.startswith(tuple(f"streams.{room}" for room in rooms))
    }
    assert wrong == set()


def test_streams_knows_nothing_of_who_uses_it() -> None:
    assert importers("consumers", "streams") == set()
    assert importers("lapwing", "streams", "consumers") == set()


def test_nothing_that_is_installed_imports_tests_or_scripts() -> None:
    assert importers("tests", *PACKAGES) | importers("scripts", *PACKAGES) == set()


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "common", "types", "misc"}
    assert [
        path for path in sources(*PACKAGES, "tests", "scripts") if {path.stem, path.parent.name} & empty
    ] == []
