"""The registry's client: what it asks, and what it makes of any answer."""

from __future__ import annotations

import json

import pytest

from streams.inputs.formats import registry as client
from streams.inputs.formats.registry import (
    RegisteredSchema,
    Registry,
    RegistryAway,
    RegistryDenies,
    RegistryError,
)
from tests.registry_endpoint import RegistryEndpoint, basic


def answer(schema: object, **more: object) -> tuple[int, bytes]:
    return 200, json.dumps({"schema": json.dumps(schema), **more}).encode()


def test_a_schema_comes_by_its_id() -> None:
    with RegistryEndpoint({"/schemas/ids/7": answer("string")}) as endpoint:
        assert Registry(endpoint.url).fetch(7) == RegisteredSchema("AVRO", '"string"')
        assert endpoint.asked == [("/schemas/ids/7", "")]


def test_a_path_and_a_password_go_with_it() -> None:
    with RegistryEndpoint({"/apis/v7/schemas/ids/7": answer({}, schemaType="JSON")}) as endpoint:
        registry = Registry(f"{endpoint.url}/apis/v7/", "reader", "s3cret")
        assert registry.fetch(7).kind == "JSON"
        assert endpoint.asked == [("/apis/v7/schemas/ids/7", basic("reader", "s3cret"))]
        assert "s3cret" not in repr(registry)


def test_what_there_is_can_be_asked() -> None:
    with RegistryEndpoint({"/subjects": (200, b'["orders-value", "b"]')}) as endpoint:
        assert Registry(endpoint.url).subjects() == {"orders-value", "b"}
    for status in (401, 403):
        with RegistryEndpoint({"/subjects": (status, b"no")}) as endpoint:
            registry = Registry(endpoint.url, "reader", "s3cret")
            with pytest.raises(RegistryDenies, match=rf"these credentials: HTTP {status}") as denied:
                registry.subjects()
            assert "s3cret" not in str(denied.value)
    for other in ((200, b"<html>"), (200, b'{"a": 1}'), (502, b"[]"), (200, b"[" * 100_000)):
        with (
            RegistryEndpoint({"/subjects": other}) as endpoint,
            pytest.raises(RegistryAway, match="does not say which subjects"),
        ):
            Registry(endpoint.url).subjects()
    with pytest.raises(RegistryAway, match="does not answer"):
        Registry("http://127.0.0.1:9").subjects()


def test_schemas_that_one_refers_to_come_before_those_that_need_them() -> None:
    answers = {
        "/schemas/ids/1": answer(
            {},
            references=[
                {"name": "b", "subject": "b/c", "version": 2},
                {"name": "a", "subject": "a", "version": 1},
            ],
        ),
        "/subjects/b%2Fc/versions/2": answer("b", references=[{"name": "a", "subject": "a", "version": 1}]),
        "/subjects/a/versions/1": answer("a"),
    }
    with RegistryEndpoint({**answers}) as endpoint:
        assert Registry(endpoint.url).fetch(1).references == ('"a"', '"b"')
        assert len(endpoint.asked) == 3  # what two refer to is asked for once


def test_schemas_that_refer_to_each_other_are_refused() -> None:
    circle = {"/schemas/ids/1": answer({}, references=[{"subject": "a", "version": 1}])}
    circle |= {"/subjects/a/versions/1": answer({}, references=[{"subject": "b", "version": 1}])}
    circle |= {"/subjects/b/versions/1": answer({}, references=[{"subject": "a", "version": 1}])}
    with RegistryEndpoint({**circle}) as endpoint, pytest.raises(RegistryError, match="circle"):
        Registry(endpoint.url).fetch(1)


def test_a_schema_refers_to_so_many_others_at_most() -> None:
    chain = {"/schemas/ids/1": answer({}, references=[{"subject": "0", "version": 1}])}
    for n in range(client.MOST_REFERENCES + 5):
        chain[f"/subjects/{n}/versions/1"] = answer({}, references=[{"subject": f"{n + 1}", "version": 1}])
    with RegistryEndpoint({**chain}) as endpoint, pytest.raises(RegistryError, match="more than 50"):
        Registry(endpoint.url).fetch(1)


@pytest.mark.parametrize(
    "references", [7, [7], [{}], [{"subject": 1, "version": 1}], [{"subject": "a", "version": True}]]
)
def test_references_that_are_none_are_refused(references: object) -> None:
    with (
        RegistryEndpoint({"/schemas/ids/1": answer({}, references=references)}) as endpoint,
        pytest.raises(RegistryError, match="reference"),
    ):
        Registry(endpoint.url).fetch(1)


def test_an_id_that_it_does_not_know_is_its_last_word() -> None:
    with RegistryEndpoint() as endpoint, pytest.raises(RegistryError, match="does not know schema 9"):
        Registry(endpoint.url).fetch(9)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (404, b"<html>no such page</html>"),
        (401, b"{}"),
        (403, b"{}"),
        (500, b""),
        (503, b'{"error_code": 50301}'),
        (301, b""),
        (200, b"<html>sign in first</html>"),
        (200, b"[]"),
        (200, b'{"schema": 7}'),
        (200, b"[" * 100_000),
    ],
)
def test_other_answers_say_nothing_of_the_records(status: int, content: bytes) -> None:
    with RegistryEndpoint({"/schemas/ids/1": (status, content)}) as endpoint, pytest.raises(RegistryAway):
        Registry(endpoint.url).fetch(1)


def test_a_redirect_is_not_followed() -> None:
    with RegistryEndpoint({"/schemas/ids/1": (302, b""), "/2": answer({})}) as endpoint:
        endpoint.headers["location"] = f"{endpoint.url}/2"
        with pytest.raises(RegistryAway, match="HTTP 302"):
            Registry(endpoint.url).fetch(1)
        assert [path for path, _ in endpoint.asked] == ["/schemas/ids/1"]


def test_an_answer_without_end_is_not_read() -> None:
    with (
        RegistryEndpoint({"/schemas/ids/1": answer("x" * client.LARGEST)}) as endpoint,
        pytest.raises(RegistryError, match="larger than 1000 kB"),
    ):
        Registry(endpoint.url).fetch(1)


def test_who_is_not_there_is_away() -> None:
    with RegistryEndpoint() as endpoint:
        url = endpoint.url
    with pytest.raises(RegistryAway, match=f"{url} does not answer: "):
        Registry(url).fetch(1)
