"""The desk's web application."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles

from consumers.desk.api import routes, schema
from consumers.desk.desk import Desk
from consumers.desk.errors import install_error_pages
from consumers.desk.pages import (
    acting,
    audit,
    changes,
    customer,
    language,
    lapsed,
    live,
    missed,
    operations,
    plays,
    queue,
    reports,
    rules,
    segments,
    sign_in,
    silences,
)
from consumers.desk.surroundings import Surroundings
from consumers.web.requests import Measured

PAGES: Final = (
    acting,
    audit,
    changes,
    customer,
    language,
    lapsed,
    live,
    missed,
    operations,
    plays,
    queue,
    reports,
    rules,
    segments,
    sign_in,
    silences,
)
"""The modules of the pages: each has a `router`."""


def create_app(desk: Desk) -> FastAPI:
    """Return the application of a desk."""
    app = FastAPI(title="Lapwing desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.add_middleware(Surroundings)
    # Streams of events are left as they are.
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)
    app.add_middleware(Measured, meter=desk.meter)  # the last one is around all others
    app.mount("/static", StaticFiles(directory=str(files("consumers.desk").joinpath("static"))))
    for page in PAGES:
        app.include_router(page.router)
    app.include_router(routes.router)
    app.include_router(schema.router)
    install_error_pages(app)
    return app
