"""Bodies of requests, of a bearable size."""

from __future__ import annotations

from fastapi import HTTPException, Request
from starlette.types import Message, Receive


async def whole_body(request: Request, most: int) -> bytes:
    """Return the body of a request; raises `HTTPException` 413 where it has more than `most` bytes."""
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > most:
            raise HTTPException(413)
        parts.append(part)
    return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then what comes after it."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
