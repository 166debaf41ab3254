"""Settings of records that are mapped to events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from lapwing.settings.values import PREFIX, Positive, is_safe_address, web_address
from streams.duration import parse_duration

INPUTS_FILE: Final = "inputs.yaml"
"""What the file is called beside the rules."""


class InputsSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Your own records"

    inputs: Path | None = Field(
        None,
        description="The file that says which records of your own there are and how each becomes events. "
        "Without it `inputs.yaml` in the folder of the rules, where there is one.",
    )
    import_inputs: Path | None = Field(
        None,
        description="The file of inputs that `lapwing import --follow` reads, which is not the workers' own; "
        "`--map` names another. With it `lapwing doctor` knows of the importer, and so does `lapwing topics` "
        "with `--acls`.",
    )
    rates: Path | None = Field(
        None,
        description="A CSV file with the columns day, currency and rate: what one unit of a currency was in "
        "the setting `currency` on a day. For the amounts of sources that say `rates: true`.",
    )
    schema_registry_url: Annotated[str, AfterValidator(web_address)] | None = Field(
        None,
        description="Where the schema registry is, one that speaks Confluent's protocol: for sources whose "
        "records are Avro.",
    )
    schema_registry_username: str | None = Field(
        None, description="The user name for the schema registry; with it, it must be reached by https."
    )
    schema_registry_password: SecretStr | None = Field(
        None, description="The password for the schema registry; read from the environment only."
    )
    schema_registry_cafile: Path | None = Field(
        None,
        description="The certificates that the schema registry's is checked against; the system's where not "
        "given.",
    )
    schema_registry_wait: Positive = Field(
        parse_duration("15m"),
        description="How long records wait whose schema is not known while the schema registry is away, "
        "before they are refused; others do not wait.",
    )
    schema_cache: Path | None = Field(
        Path("var/schemas"),
        description="Where schemas of the registry are kept, so that a restart does not need it.",
    )

    @model_validator(mode="after")
    def _registry_is_safe(self) -> Self:
        """Raise `ValueError` where the schema registry's user lacks something."""
        if self.schema_registry_username is None:
            return self
        if not (self.schema_registry_url and self.schema_registry_password):
            msg = (
                "a schema registry that asks for a password needs schema_registry_url, "
                f"schema_registry_username and {PREFIX}SCHEMA_REGISTRY_PASSWORD"
            )
            raise ValueError(msg)
        if not is_safe_address(self.schema_registry_url):
            msg = "schema_registry_url must be reached by https where it is sent a password"
            raise ValueError(msg)
        return self
