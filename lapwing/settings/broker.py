"""Settings of the way to Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from lapwing.settings.values import PREFIX, Duration, broker_addresses, is_safe_address, web_address
from streams.duration import UNITS, parse_duration


class BrokerSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Kafka"

    broker: Annotated[str, AfterValidator(broker_addresses)] = Field(
        "127.0.0.1:9092", description="Kafka's addresses, `host:port`, several with commas between them."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="The protocol to the broker."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="How Lapwing authenticates with a `SASL_` protocol."
    )
    sasl_username: str | None = Field(None, description="The user name for the broker.")
    sasl_password: SecretStr | None = Field(
        None, description="The password for the broker; read from the environment only."
    )
    ssl_cafile: Path | None = Field(
        None,
        description="The certificates that the broker's is checked against; the system's where not given.",
    )
    ssl_check_hostname: bool = Field(
        True, description="Whether the broker's certificate must name the host that is connected to."
    )
    ssl_certfile: Path | None = Field(
        None,
        description="Lapwing's own certificate in PEM format, where the broker asks for one; its key may be "
        "in the same file.",
    )
    ssl_keyfile: Path | None = Field(None, description="The key to that.")
    ssl_key_password: SecretStr | None = Field(
        None, description="The password of the key; read from the environment only."
    )
    sasl_oauth_token_url: Annotated[str, AfterValidator(web_address)] | None = Field(
        None,
        description="With `OAUTHBEARER`, the token endpoint where Lapwing gets its tokens by client "
        "credentials; reached by https, on this machine also by http.",
    )
    sasl_oauth_client_id: str | None = Field(None, description="By which the token endpoint knows Lapwing.")
    sasl_oauth_client_secret: SecretStr | None = Field(
        None, description="The secret to that; read from the environment only."
    )
    sasl_oauth_scope: str | None = Field(None, description="The scope that a token is asked for.")
    sasl_oauth_cafile: Path | None = Field(
        None,
        description="The certificates that the token endpoint's is checked against; the system's where not "
        "given.",
    )
    session_timeout: Annotated[Duration, Field(ge=UNITS["s"], le=30 * UNITS["m"])] = Field(
        parse_duration("45s"),
        description="How long a worker that does not answer keeps its partitions; Kafka refuses less than 6s "
        "by default.",
    )

    @model_validator(mode="after")
    def _is_secure(self) -> Self:
        """Raise `ValueError` where an option of the broker's security lacks another one."""
        msg = None
        if not self.security_protocol.startswith("SASL"):
            pass
        elif self.sasl_mechanism == "OAUTHBEARER":
            url = self.sasl_oauth_token_url
            if not (url and self.sasl_oauth_client_id and self.sasl_oauth_client_secret):
                msg = (
                    "OAUTHBEARER needs sasl_oauth_token_url, sasl_oauth_client_id and "
                    f"{PREFIX}SASL_OAUTH_CLIENT_SECRET"
                )
            elif not is_safe_address(url):
                msg = "sasl_oauth_token_url must be reached by https"
        elif not (self.sasl_mechanism and self.sasl_username and self.sasl_password):
            msg = f"{self.security_protocol} needs sasl_mechanism, sasl_username and {PREFIX}SASL_PASSWORD"
        if self.ssl_keyfile and not self.ssl_certfile:
            msg = "ssl_keyfile needs ssl_certfile, the certificate to the key"
        if msg is not None:
            raise ValueError(msg)
        return self

    @property
    def kafka_security(self) -> dict[str, str | bool]:
        """Return how to connect to the broker, as `streams.kafka.security` names it."""
        given: dict[str, object] = {
            "security_protocol": self.security_protocol,
            "ssl_cafile": self.ssl_cafile,
            "ssl_certfile": self.ssl_certfile,
            "ssl_keyfile": self.ssl_keyfile,
            "ssl_password": self.ssl_key_password,
        }
        if self.security_protocol.startswith("SASL"):
            given["sasl_mechanism"] = self.sasl_mechanism
        if self.sasl_mechanism == "OAUTHBEARER":
            names = ("token_url", "client_id", "client_secret", "scope", "cafile")
            given |= {f"sasl_oauth_{name}": getattr(self, f"sasl_oauth_{name}") for name in names}
        else:
            given["sasl_plain_username"] = self.sasl_username
            given["sasl_plain_password"] = self.sasl_password
        found: dict[str, str | bool] = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in given.items()
            if value is not None
        }
        return found if self.ssl_check_hostname else found | {"ssl_check_hostname": False}
