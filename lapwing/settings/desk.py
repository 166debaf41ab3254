"""Settings of the desk."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from lapwing.settings.values import listen_address, web_address


class DeskSettings(BaseModel):
    """What `Settings` has of the desk."""

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
        description="Customers that whoever is in no team can attend to in a local day; the queue draws a "
        "line after so many. Not set: no line.",
    )
