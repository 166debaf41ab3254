from __future__ import annotations

import pytest
from fastapi import HTTPException, Request
from starlette.types import Message

from consumers.web.bodies import again, whole_body


class Parts:
    """A body that comes in parts."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)

    async def __call__(self) -> Message:
        if not self._parts:
            return {"type": "http.disconnect"}
        part = self._parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}


def request(receive: Parts) -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_a_body_is_put_together_up_to_the_limit() -> None:
    assert await whole_body(request(Parts(b"ab", b"cd")), 4) == b"abcd"
    with pytest.raises(HTTPException) as refused:
        await whole_body(request(Parts(b"ab", b"cd", b"e")), 4)
    assert refused.value.status_code == 413


async def test_a_body_that_was_read_is_given_once_more_and_then_what_follows() -> None:
    receive = again(b"abcd", Parts())
    assert await whole_body(Request({"type": "http", "method": "POST", "headers": []}, receive), 9) == b"abcd"
    assert (await receive())["type"] == "http.disconnect"
