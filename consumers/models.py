"""The models topic as people read it: every model, and which is in force."""

from __future__ import annotations

from collections.abc import Callable

from consumers.broker.records import Record, RecordSource
from consumers.silences import POLL_S
from streams.contract.models import ModelLog, PublishedModel
from streams.errors import ContractError


def read_models(source: RecordSource, app: str, on_unreadable: Callable[[Record, str], None]) -> ModelLog:
    """Return what the topic holds; what is none of the application's is passed over."""
    models = ModelLog(app)
    while True:
        records = source.poll(POLL_S)
        for record in records:
            try:
                models.take(record.key, record.value)
            except ContractError as error:
                on_unreadable(record, str(error))
        if not records and source.at_end():
            return models


def named(models: ModelLog, version: str) -> PublishedModel:
    """Return the model whose version this is, or begins with this; raise `ContractError` if it is not one."""
    found = [each for each in models.newest() if each.version.startswith(version)]
    if version in models.models:
        return models.models[version]
    if len(found) != 1:
        msg = f"{'no model has' if not found else 'several models have'} a version {version!r}"
        raise ContractError(msg)
    return found[0]


def before(models: ModelLog) -> PublishedModel:
    """Return the model that was in force before; raise `ContractError` where none is left."""
    now = models.model()
    if now is None:
        msg = "no model is in force, so there is none to go back to"
        raise ContractError(msg)
    if not now.champion and models.champion is not None and models.champion.version in models.models:
        return models.models[models.champion.version]  # somebody chose a challenger
    newest = models.newest()
    older = [each for each in newest[newest.index(now) + 1 :] if each.champion]
    if not older:
        msg = f"the topic holds no champion that is older than {now.version}"
        raise ContractError(msg)
    return older[0]
