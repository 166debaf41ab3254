"""Settings of the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr

from lapwing.settings.values import Positive, header_name, listen_address, network, web_address, words
from streams.duration import parse_duration


class DeskSettings(BaseModel):
    """What `Settings` has of the desk."""

    heading: ClassVar[str] = "The desk"

    desk_url: Annotated[str, AfterValidator(web_address)] | None = Field(
        None,
        description="Where people see customers: messages link to `/customers/ID` there. Without it there is "
        "no link.",
    )
    desk_listen: Annotated[str, AfterValidator(listen_address)] = Field(
        "127.0.0.1:8085",
        description="The address that `lapwing desk` listens on, `host:port`; beyond this machine only with "
        "people who sign in.",
    )
    desk_capacity: int | None = Field(
        None,
        ge=0,
        description="How many customers somebody who is in no team can attend to in a local day: the queue "
        "draws a line there. Without it there is no line.",
    )
    desk_people: Path | None = Field(
        None,
        description="The file that says who works at the desk and what they may do, see docs/desk.md. "
        "Without it the desk listens on this machine only, and whoever opens it is its operator.",
    )
    desk_session_lasts: Positive = Field(
        parse_duration("12h"), description="After how long somebody has to sign in again."
    )
    desk_session_idle: Positive = Field(
        parse_duration("4h"), description="After how long without a click somebody has to sign in again."
    )
    desk_proxy_header: Annotated[str, AfterValidator(header_name)] | None = Field(
        None,
        description="The header in which a reverse proxy names who has signed in there, such as "
        "`X-Forwarded-Email`; needs `desk_proxies`.",
    )
    desk_proxies: Annotated[tuple[Annotated[str, AfterValidator(network)], ...], BeforeValidator(words)] = (
        Field(
            (),
            description="Addresses or networks of the reverse proxies whose headers are believed "
            "(`10.0.0.7 10.1.0.0/24`); from elsewhere they are ignored.",
        )
    )
    desk_oidc_issuer: Annotated[str, AfterValidator(web_address)] | None = Field(
        None, description="The OpenID provider at which people sign in, such as `https://id.example.org`."
    )
    desk_oidc_client_id: str | None = Field(None, description="By which the provider knows the desk.")
    desk_oidc_client_secret: SecretStr | None = Field(
        None, description="The secret to that; read from the environment only."
    )
    desk_oidc_claim: str = Field(
        "email",
        min_length=1,
        description="The claim that says who somebody is: `email`, which the provider must have verified, "
        "or another one, which is their `subject` in the people file.",
    )
