"""The schema registry of the settings, and what reads the formats of foreign records by it."""

from __future__ import annotations

from lapwing.settings.settings import Settings
from streams.inputs.formats.formats import readers
from streams.inputs.formats.registry import Registry
from streams.inputs.formats.schemas import Schemas
from streams.inputs.load import Readers


def schemas_of(settings: Settings) -> Schemas | None:
    """Return the schemas of the registry that is set, `None` where none is.

    A process has one of it, so that its sources share what is known.
    """
    url = settings.schema_registry_url
    if url is None:
        return None
    password = settings.schema_registry_password
    registry = Registry(
        url,
        settings.schema_registry_username or "",
        "" if password is None else password.get_secret_value(),
        "" if settings.schema_registry_cafile is None else str(settings.schema_registry_cafile),
    )
    return Schemas(
        registry,
        url,
        folder=settings.schema_cache,
        patience_s=settings.schema_registry_wait / 1_000_000,
    )


def readers_of(settings: Settings) -> Readers:
    """Return what reads the formats of a file of inputs, for `load_inputs`."""
    return readers(schemas_of(settings))
