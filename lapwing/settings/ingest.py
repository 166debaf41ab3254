"""Settings of the intake of webhooks."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr

from lapwing.settings.values import listen_address, words


class IngestSettings(BaseModel):
    """What `Settings` has of it."""

    heading: ClassVar[str] = "Webhooks that come in"

    ingest_listen: Annotated[str, AfterValidator(listen_address)] = Field(
        "127.0.0.1:8086",
        description="The address that `lapwing ingest` takes webhooks on, `host:port`; every one of them has "
        "to be signed.",
    )
    ingest_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(words)] = Field(
        (),
        description="What webhooks are signed with: `SOURCE=SECRET` with spaces or line ends between, two "
        "for a source while its sender changes over; read from the environment only.",
    )
    ingest_largest: int = Field(
        1_000_000, ge=1_000, le=10_000_000, description="How many bytes the body of a webhook may have."
    )
    ingest_waiting: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="How many webhooks may be on their way to the broker; who sends more is asked to wait.",
    )
