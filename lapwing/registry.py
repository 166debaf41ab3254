"""The schema registry of the settings, and what reads the formats of foreign records by it."""

from __future__ import annotations

from lapwing.settings.settings import Settings
from streams.errors import SettingsError
from streams.inputs.formats.formats import readers
from streams.inputs.formats.registry import Registry
from streams.inputs.formats.schemas import Schemas
from streams.inputs.load import Readers
from streams.inputs.rates import Rates, read_rates


def registry_of(settings: Settings) -> Registry | None:
    """Return the client of the registry that is set, `None` where none is."""
    url = settings.schema_registry_url
    if url is None:
        return None
    password = settings.schema_registry_password
    return Registry(
        url,
        settings.schema_registry_username or "",
        "" if password is None else password.get_secret_value(),
        "" if settings.schema_registry_cafile is None else str(settings.schema_registry_cafile),
    )


def schemas_of(settings: Settings) -> Schemas | None:
    """Return the schemas of the registry that is set, `None` where none is.

    A process has one of it, so that its sources share what is known.
    """
    registry = registry_of(settings)
    if registry is None:
        return None
    return Schemas(
        registry,
        registry.url,
        folder=settings.schema_cache,
        patience_s=settings.schema_registry_wait / 1_000_000,
    )


def rates_of(settings: Settings) -> Rates | None:
    """Return the exchange rates of the settings, `None` where they name none.

    Raises `RulebookRefused` with the lines of the table that are wrong, and `SettingsError` where it is not
    said which currency amounts become.
    """
    if settings.rates is None:
        return None
    if settings.currency is None:
        msg = "rates: needs the setting `currency` too: the currency that amounts become"
        raise SettingsError(msg)
    return read_rates(settings.rates, settings.currency)


def readers_of(settings: Settings) -> Readers:
    """Return what reads the formats of a file of inputs, for `load_inputs`."""
    return readers(schemas_of(settings))
