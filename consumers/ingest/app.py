"""The intake's web application: `POST /hooks/SOURCE`, and whether it can take deliveries now."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from consumers.ingest.hooks import AGAIN_S, STATUS, TRY_AGAIN, Hooks

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def create_app(hooks: Hooks) -> FastAPI:
    """Return the application that answers the senders."""
    app = FastAPI(title="Lapwing intake", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/hooks/{source}")
    async def hook(source: str, request: Request) -> Response:
        result = await hooks.answer(source, request)
        again = {"Retry-After": str(AGAIN_S)} if result in TRY_AGAIN else {}
        return JSONResponse({"result": result.value}, STATUS[result], {**HEADERS, **again})

    # For a load balancer in front; why it is not ready stands on the endpoint of the metrics, which is not
    # for strangers.
    @app.get("/healthz")
    async def healthy() -> Response:
        return PlainTextResponse("healthy\n", 200, HEADERS)

    @app.get("/readyz")
    async def ready() -> Response:
        is_ready = hooks.intake.trouble is None
        return PlainTextResponse("ready\n" if is_ready else "not ready\n", 200 if is_ready else 503, HEADERS)

    return app
