"""The command line as a whole: what help imports, exit codes, declarations that fit what they call."""

import gc
import importlib
import inspect
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from lapwing.cli import COLLECT_AFTER, COMMANDS, INTERRUPTED, lapwing, main
from streams.telemetry.logs import ProcessLog
from tests.paths import ROOT

HEAVY = [
    *("aiokafka", "faust", "fsspec", "kafka", "msgspec", "polars", "pyarrow", "rich", "river", "ruamel.yaml"),
    *("scipy", "sqlalchemy"),
]
"""What takes its time to import, and no help needs it."""

NOBODY = "127.0.0.1:1"
"""An address at which no broker answers."""


def commands_of(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and group with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands_of(inner, (*path, name))


EVERY = dict(commands_of(lapwing))
LEAVES = {
    " ".join(path): each
    for path, each in EVERY.items()
    if not isinstance(each, click.Group) or each.invoke_without_command
}
"""Every command that does something by itself."""


@pytest.fixture(autouse=True)
def _log_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the log of the tests' own process as it was, which `main` takes for a command's."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, ProcessLog)]
    logging.captureWarnings(capture=False)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def exit_code(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def started(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lapwing", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_table_of_commands_is_what_there_is() -> None:
    names = {path.stem for path in (ROOT / "lapwing/cli").iterdir()} - {"__init__", "__pycache__"}
    declared = {name for name in names if hasattr(importlib.import_module(f"lapwing.cli.{name}"), "command")}
    assert declared == set(COMMANDS)


def test_no_help_imports_what_is_slow_to_import() -> None:
    script = f"""
import contextlib, io, sys
from lapwing.cli import lapwing
for words in {[list(path) for path in EVERY]!r}:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        lapwing.main([*words, "--help"], standalone_mode=False)
    assert "Usage: " in out.getvalue(), words
    slow = sorted(set({HEAVY!r}) & set(sys.modules))
    assert not slow, f"lapwing {{' '.join(words)}} --help imports {{', '.join(slow)}}"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_a_command_imports_is_not_looked_through_for_cycles_again_and_again() -> None:
    before = gc.get_threshold()
    try:
        assert exit_code("--help") == 0
        assert gc.get_threshold()[0] == COLLECT_AFTER > before[0]
    finally:
        gc.set_threshold(*before)


def test_no_command_of_the_store_imports_all_of_scipys_statistics() -> None:
    script = """
import sys
for name in ("desk", "doctor", "notify", "report"):
    __import__(f"lapwing.commands.{name}")
assert "scipy.special" in sys.modules
assert "scipy.stats" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_slow_to_import_is_there_to_be_imported() -> None:
    script = f"import importlib.util as u; print([n for n in {HEAVY!r} if u.find_spec(n) is None])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", LEAVES)
def test_a_declaration_gives_what_the_command_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    callback = LEAVES[name].callback
    assert callback is not None
    imported = [word for word in inspect.unwrap(callback).__code__.co_names if word.startswith("lapwing.")]
    module = importlib.import_module(*imported)
    called: list[dict[str, Any]] = []

    def recorded(function: Callable[..., None]) -> Callable[..., None]:
        def call(**given: Any) -> None:
            inspect.signature(function).bind(**given)
            called.append(given)

        return call

    for word in inspect.unwrap(callback).__code__.co_names:
        if inspect.isfunction(function := getattr(module, word, None)):
            monkeypatch.setattr(module, word, recorded(function))
    given: dict[str, Any] = {str(each.name): None for each in LEAVES[name].params}
    if "events" in given:
        given["events"] = (Path("events.jsonl"),)
    callback(**given)
    assert len(called) == 1


@pytest.mark.parametrize("name", [" ".join(path) for path in EVERY])
def test_a_usage_error_is_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*name.split(), "--no-such-flag") == 2
    assert "No such option" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["replya", "a.jsonl"], "Did you mean 'replay'?"),
        (["replay"], "Missing argument 'EVENTS...'"),
        (["replay", "a.jsonl", "--sweep-every", "soon"], "--sweep-every: 'soon' is not a duration"),
        (["replay", "a.jsonl", "--until", "now"], "'now' is no RFC 3339 time"),
        (["worker", "--json"], "belong to --dry-run"),
        (["worker", "--flush-after", "1.5 sec"], "'1.5 sec' is not a duration; did you mean 1s500ms?"),
        (["replay", "a.jsonl", "--sweep-every", "1 day"], "did you mean 1d?"),
        (["explain", "C1"], "give EVENTS, or --checkpoint"),
        (["explain", "C1", "a.jsonl", "--at", "2011-02-31"], "'2011-02-31' is no date"),
        (["backtest"], "give event files, or --broker"),
        (["notify", "--give-up-after", "never"], "'never' is not a duration"),
        (["act", "x", "acknowledge", "--by", "ann", "--for", "long"], "'long' is not a duration"),
        (["act", "x", "expire", "--by", "ann", "--for", "1d"], "--for"),
        (["silence", "add", "--author", "ann", "--reason", "x", "--from", "today"], "'today' is no RFC 3339"),
        (["simulate"], "give --out FILE"),
        (["demo", "--broker", NOBODY, "--port", "9092"], "--port is the embedded broker's"),
        (["sink", "--broker", "nowhere"], "--broker: 'nowhere' is not an address"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_usage_error_says_what_is_wrong(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*words) == 2
    assert says in " ".join(capsys.readouterr().err.split())


FAILURES = {
    "act": ["x", "acknowledge", "--by", "ann", "--database", "sqlite:///no/folder/here.db"],
    "backtest": ["missing.jsonl"],
    "demo": ["--data", "missing.jsonl"],
    "desk": ["--database", "sqlite:///no/folder/here.db"],
    "desk token": ["n" * 65],
    "doctor": ["--broker", NOBODY],
    "effects": ["--outcomes", "missing.jsonl"],
    "erase": ["C1", "--broker", NOBODY],
    "explain": ["C1", "missing.jsonl"],
    "import": ["missing.csv", "--preset", "cdnow", "--to", "out.jsonl"],
    "inputs guess": ["missing.csv"],
    "inputs preset": ["missing"],
    "inputs check": ["missing.yaml"],
    "inputs try": ["shop", "--inputs", "missing.yaml"],
    "learn": [],
    "model list": ["--broker", NOBODY],
    "model promote": ["--broker", NOBODY, "--by", "a", "--reason", "b"],
    "model report": ["missing.jsonl"],
    "model rollback": ["--broker", NOBODY, "--by", "a", "--reason", "b"],
    "model show": ["--broker", NOBODY],
    "notify": [],
    "notify routes": ["--rules", "missing"],
    "plays check": ["missing"],
    "plays estimate": ["--database", "sqlite:///no/folder/here.db"],
    "replay": ["missing.jsonl"],
    "report": ["--database", "sqlite:///no/folder/here.db"],
    "rules audit": ["--broker", NOBODY],
    "rules check": ["missing.yaml"],
    "rules diff": ["missing.yaml", "missing.yaml", "--events", "missing.jsonl"],
    "rules schema": ["--out", "no/folder/here"],
    "rules test": ["missing"],
    "rules tune": ["overdue", "--param", "overdue", "--events", "missing.jsonl"],
    "silence add": ["--everything", "--for", "1d", "--author", "a", "--reason", "b", "--broker", NOBODY],
    "silence expire": ["abcd", "--broker", NOBODY],
    "silence list": ["--broker", NOBODY],
    "simulate": ["--out", "no/folder/here.jsonl"],
    "scorecard": ["--database", "sqlite:///no/folder/here.db"],
    "ingest": ["--inputs", "missing.yaml"],
    "lapsed": ["--outcomes", "no-such-file.jsonl"],
    "sink": ["--database", "sqlite:///no/folder/here.db"],
    "warnings list": ["--database", "sqlite:///no/folder/here.db"],
    "warnings show": ["abcd", "--database", "sqlite:///no/folder/here.db"],
    "tail": ["--broker", NOBODY],
    "topics": ["--broker", NOBODY],
    "worker": ["--broker", NOBODY],
}
"""A call of each command that fails by what it finds, not by how it is called."""


def test_a_failure_is_known_of_every_command() -> None:
    assert set(FAILURES) == set(LEAVES)


CALLS = """
import importlib, json, os, pkgutil, sys, traceback
from pathlib import Path

import lapwing.commands
from lapwing.cli import main

for module in pkgutil.walk_packages(lapwing.commands.__path__, "lapwing.commands."):
    importlib.import_module(module.name)
calls = {}
for number, words in enumerate(json.loads(sys.argv[1])):
    process = os.fork()
    if process:
        calls[process] = number
        continue
    output = os.open(f"{number}.out", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1), os.dup2(output, 2)
    code = 0
    try:
        main(words)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        code = 1
        traceback.print_exc()
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(code)
while calls:
    process, status = os.wait()
    Path(f"{calls.pop(process)}.code").write_text(str(os.waitstatus_to_exitcode(status)))
"""
"""Makes the calls side by side, as most wait for a broker; all of them import once what is slow to import."""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Return the exit code and the output of each call."""
    folder = tmp_path_factory.mktemp("failures")
    environment = os.environ | {"LAPWING_RULES": str(ROOT / "warning_rules")}
    calls = [[*name.split(), *words] for name, words in FAILURES.items()]
    command = [sys.executable, "-c", CALLS, json.dumps(calls)]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return {
        name: (int((folder / f"{number}.code").read_text()), (folder / f"{number}.out").read_text())
        for number, name in enumerate(FAILURES)
    }


@pytest.mark.timeout(600)  # all the calls together, on a machine that does much else
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_exit_code_1_and_no_traceback(name: str, failures: dict[str, tuple[int, str]]) -> None:
    code, output = failures[name]
    assert (code, "Traceback" in output) == (1, False), output
    assert output.strip()


@pytest.mark.parametrize("words", [["replay", "."], ["explain", "C1", "."], ["backtest", "."]])
def test_a_folder_for_a_file_is_exit_code_1(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*words, "--rules", str(ROOT / "warning_rules")) == 1
    assert capsys.readouterr().err.startswith("lapwing: .: ")


@pytest.mark.parametrize("name", LEAVES)
def test_whether_a_path_can_be_read_is_no_question_of_usage(name: str) -> None:
    paths = [each.type for each in LEAVES[name].params if isinstance(each.type, click.Path)]
    assert not any(each.exists or each.readable for each in paths)


def test_what_cannot_be_read_or_written_is_exit_code_1(tmp_path: Path) -> None:
    """As root without the right to pass over the bits, where the tests run as root."""
    closed = tmp_path / "closed"
    (closed / "in").mkdir(parents=True)
    (closed / "rules.yaml").write_text("version: 1\nrules: []\n")
    (tmp_path / "e.jsonl").write_text("")
    (closed / "in").chmod(0)
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if drop and shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")

    def refused(*words: str) -> str:
        command = [*drop, sys.executable, "-m", "lapwing", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1, (words, done)
        assert "Traceback" not in done.stderr, words
        return done.stdout + done.stderr

    try:
        # Rules in a folder that cannot be read are not left out in silence.
        assert "closed/in: Permission denied" in refused("rules", "check", "closed")
        assert "closed/in: cannot be read: Permission denied" in refused(
            "backtest", "e.jsonl", "--rules", "closed"
        )
        closed.chmod(0)
        assert "closed/w.jsonl: cannot be written: Permission denied" in refused(
            *("replay", "e.jsonl", "--rules", str(ROOT / "warning_rules"), "--out", "closed/w.jsonl")
        )
        assert "closed/e.jsonl" in refused(
            "backtest", "closed/e.jsonl", "--rules", str(ROOT / "warning_rules")
        )
        assert "closed" in refused("rules", "test", "closed")
    finally:
        closed.chmod(0o700)
        (closed / "in").chmod(0o700)


def test_ctrl_c_is_exit_code_130(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.jsonl")
    process = started("replay", "endless.jsonl", "--rules", str(ROOT / "warning_rules"))
    with (tmp_path / "endless.jsonl").open("wb"):  # opens once the command reads
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (INTERRUPTED, b"", b"\n")


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    with started("rules", "schema") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 1)


def test_what_the_machine_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**given: Any) -> None:
        raise PermissionError(13, "Permission denied", "secret.jsonl")

    monkeypatch.setattr("lapwing.commands.replay.run", refuse)
    assert exit_code("replay", "secret.jsonl") == 1
    assert capsys.readouterr().err == "lapwing: secret.jsonl: Permission denied\n"


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("rules", "check", str(ROOT / "warning_rules"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


@pytest.mark.parametrize(
    "line",
    [
        "rules diff old new a.jsonl b.jsonl",
        "rules diff old new --events a.jsonl --events b.jsonl",
        "rules tune r a.jsonl b.jsonl --param overdue",
        "rules tune r --param overdue --events a.jsonl --events b.jsonl",
        "backtest a.jsonl b.jsonl",
    ],
)
def test_event_files_are_arguments_of_every_command(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    *_, name = [word for word in line.split() if word in ("diff", "tune", "backtest")]
    module = f"lapwing.commands.{'rules.' if name != 'backtest' else ''}{name}"
    monkeypatch.setattr(f"{module}.run", lambda **given: taken.append(given["judged"].events))
    result = CliRunner().invoke(lapwing, line.split())
    assert result.exit_code == 0, result.output
    assert taken == [(Path("a.jsonl"), Path("b.jsonl"))]
