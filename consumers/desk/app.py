"""The desk's web application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute
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
from consumers.web.requests import UNROUTED, Measured

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
    routers = (*(page.router for page in PAGES), routes.router, schema.router)
    for router in routers:
        app.include_router(router)
    install_error_pages(app)
    desk.meter.expect(_measured(routers))
    return app


def _measured(routers: Iterable[APIRouter]) -> Iterator[tuple[str, str]]:
    """Yield every route with its method, and what is answered before a route is looked for."""
    yield from ((UNROUTED, method) for method in ("GET", "POST"))
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield from ((route.path, method) for method in sorted(route.methods or ()))
