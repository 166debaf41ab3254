"""Every error that can leave a command is a `LapwingError`, and the tree in `streams/errors.py` shows it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re

import consumers
import lapwing
import streams
from streams import errors
from streams.errors import LapwingError
from tests.test_architecture import PACKAGES, parsed, sources

CAUGHT_INSIDE = {
    "consumers.desk.local_times.NoTime": "the page says that it is no time",
    "consumers.desk.pages.silences.FormError": "the form is shown again with it",
    "consumers.ingest.admission.Full": "the sender is asked to wait",
    "consumers.loop.Retryable": "a mark that errors of the tree carry beside their kind",
    "consumers.loop.Stopped": "the loops that wait end by it",
    "consumers.notify.attempt.ReceiverGone": "the notifier gives the channel up",
    "consumers.notify.attempt.SendFailed": "the notifier tries again",
    "consumers.notify.attempt.SendStopped": "the notifier stops",
    "consumers.notify.attempt.SendTimedOut": "the notifier tries again, later",
    "consumers.notify.scheduled_reports.ReportNotReady": "the notifier puts the report off",
    "streams.contract.instants.InstantOutOfRange": "the record or the setting is refused",
    "streams.contract.instants.NotAnInstant": "the record or the setting is refused",
    "streams.core.analysis.cases.TooManyCases": "the analysis leaves the question open",
    "streams.core.rules.phrases.PhraseError": "a mistake of a rule, in `RulesRefused`",
    "streams.core.state_tables.StateMismatch": "the checkpoint is refused with a `StateError`",
    "streams.inputs.formats.avro_schema.SchemaMistake": "records with the schema are refused",
    "streams.inputs.formats.decimals.DecimalMistake": "the record is refused",
    "streams.inputs.formats.reading.Refused": "the record is refused",
    "streams.inputs.formats.schemas.SchemaUnusable": "records with the schema are refused",
    "streams.kafka.diagnosis._Closed": "a step of the diagnosis",
    "streams.kafka.diagnosis._Refused": "a step of the diagnosis",
    "streams.rulebook.reader.WrongValueError": "a mistake of a file, in `RulebookRefused`",
    "streams.rulebook.reader.WrongWhole": "a mistake of a file, in `RulebookRefused`",
    "streams.rulebook.yaml.YamlMistake": "a mistake of a file, in `RulebookRefused`",
}
"""Exceptions that are no `LapwingError`, and what becomes of each."""


def defined() -> dict[str, type[BaseException]]:
    """Return every exception class of the packages, by its full name."""
    found: dict[str, type[BaseException]] = {}
    names = [
        module.name
        for package in (consumers, lapwing, streams)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        # Alembic runs its own script, and it alone can.
        if not module.name.endswith(("__main__", "migrations.env"))
    ]
    for name in names:
        for kind in vars(importlib.import_module(name)).values():
            if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == name:
                found[f"{name}.{kind.__qualname__}"] = kind
    assert {name.partition(".")[0] for name in found} == set(PACKAGES)
    return found


def test_every_exception_is_in_the_tree_or_named_with_what_becomes_of_it() -> None:
    outside = {name for name, kind in defined().items() if not issubclass(kind, LapwingError)}
    assert outside == set(CAUGHT_INSIDE)


def test_the_tree_in_the_docstring_shows_every_kind() -> None:
    shown = re.findall(r"── (\w+)", errors.__doc__ or "")
    kinds = [
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and kind is not LapwingError
    ]
    assert sorted(shown) == sorted(kinds)


def test_every_kind_is_used() -> None:
    """A kind that nobody raises or maps to is a promise that nothing keeps."""
    used = {
        node.id
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Name) and path.name != "errors.py"
    }
    kinds = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
    assert kinds - used == set()
