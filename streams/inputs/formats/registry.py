"""The client of a schema registry that speaks Confluent's protocol: a schema by its id, and what there is.

A registry is another machine's word: answers are bounded, redirects are not followed, and a password goes to
https or this machine only (the settings see to that).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote

import urllib3

from streams.errors import LapwingError

TIMEOUT_S: Final = 5.0
LARGEST: Final = 1_000_000
"""Bytes of an answer: a schema of that size has thousands of fields."""
LARGEST_LIST: Final = 20_000_000
"""Bytes of the list of all subjects."""
MOST_REFERENCES: Final = 50
"""Schemas that one may refer to, those that they refer to included."""


class RegistryError(LapwingError):
    """The schema registry has no usable schema of this id: asking again would not help."""


class RegistryAway(LapwingError):
    """The schema registry does not answer, or lets nobody in: it may do so later."""


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as it is registered; of one id it never changes."""

    kind: str
    """`AVRO`, `JSON` or `PROTOBUF`."""
    text: str
    references: tuple[str, ...] = ()
    """The texts of the schemas that it refers to, each after those that it needs itself."""


class RegistryDenies(RegistryAway):
    """The schema registry lets nobody in with this user name and password."""


class SchemaSource(Protocol):
    """Where schemas come from."""

    def fetch(self, schema_id: int) -> RegisteredSchema:
        """Return the schema. Raises `RegistryError` or `RegistryAway`."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry and how to get in."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    cafile: str = ""

    def fetch(self, schema_id: int) -> RegisteredSchema:
        """Return a schema with all that it refers to. Raises `RegistryError` or `RegistryAway`."""
        answer = self._ask(f"/schemas/ids/{schema_id}", f"schema {schema_id}")
        found: dict[str, str] = {}
        self._resolve(answer, found, [])
        return RegisteredSchema(_kind(answer), _text(answer), tuple(found.values()))

    def subjects(self) -> frozenset[str]:
        """Return what schemas are registered under. Raises `RegistryAway`, `RegistryDenies`."""
        status, content = self._get("/subjects", LARGEST_LIST)
        if status in (401, 403):
            msg = f"the schema registry {self.url} lets nobody in with these credentials: HTTP {status}"
            raise RegistryDenies(msg)
        try:
            found = json.loads(content) if status == 200 else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list):
            msg = f"the schema registry {self.url} does not say which subjects it has: HTTP {status}"
            raise RegistryAway(msg)
        return frozenset(str(each) for each in found)

    def _resolve(self, answer: dict[str, Any], found: dict[str, str], on_the_way: list[str]) -> None:
        """Put the schemas that one refers to into `found`, by subject and version."""
        references = answer.get("references") or []
        if not isinstance(references, list):
            msg = "the schema registry: a schema's references are no list"
            raise RegistryError(msg)
        for reference in references:
            subject, version = _reference(reference)
            if subject is None or version is None:
                msg = "the schema registry: a reference names no subject and version"
                raise RegistryError(msg)
            path = f"/subjects/{quote(subject, safe='')}/versions/{version}"
            if path in found:
                continue
            if path in on_the_way:
                msg = "the schema registry: schemas refer to each other in a circle"
                raise RegistryError(msg)
            if len(found) + len(on_the_way) >= MOST_REFERENCES:
                msg = f"the schema registry: a schema refers to more than {MOST_REFERENCES} others"
                raise RegistryError(msg)
            referred = self._ask(path, "a schema that another one refers to")
            self._resolve(referred, found, [*on_the_way, path])
            found[path] = _text(referred)

    def _ask(self, path: str, what: str) -> dict[str, Any]:
        status, content = self._get(path, LARGEST)
        found = _object(content)
        if status == 404 and str(found.get("error_code", "")).startswith("404"):
            msg = f"the schema registry does not know {what}"
            raise RegistryError(msg)
        if status != 200:
            # Also where it lets nobody in, or a proxy knows no such page: that can be set right, and the
            # records are good.
            msg = f"the schema registry {self.url} gives no schema now: HTTP {status}"
            raise RegistryAway(msg)
        if len(content) > LARGEST:
            msg = f"the schema registry's answer for {what} is larger than {LARGEST // 1_000} kB"
            raise RegistryError(msg)
        if not isinstance(found.get("schema"), str):
            # A proxy's page, for example: not the registry's word on this schema.
            msg = f"the schema registry {self.url} answers with something that is no schema"
            raise RegistryAway(msg)
        return found

    def _get(self, path: str, largest: int) -> tuple[int, bytes]:
        """Return status and content, of which one byte more than `largest` at most is read."""
        headers = {"accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if self.username:
            headers |= urllib3.make_headers(basic_auth=f"{self.username}:{self.password}")
        try:
            with urllib3.PoolManager(retries=False, ca_certs=self.cafile or None) as pool:
                answer = pool.request(
                    "GET",
                    self.url.rstrip("/") + path,
                    headers=headers,
                    timeout=urllib3.Timeout(total=TIMEOUT_S),
                    redirect=False,
                    preload_content=False,
                )
                content = answer.read(largest + 1)
                answer.drain_conn() if len(content) <= largest else answer.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            msg = f"the schema registry {self.url} does not answer: {_why(error)}"
            raise RegistryAway(msg) from error
        return answer.status, content


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _kind(answer: dict[str, Any]) -> str:
    return str(answer.get("schemaType") or "AVRO")[:20]


def _text(answer: dict[str, Any]) -> str:
    return str(answer["schema"])


def _reference(reference: object) -> tuple[str | None, int | None]:
    if not isinstance(reference, dict):
        return None, None
    subject, version = reference.get("subject"), reference.get("version")
    whole = isinstance(version, int) and not isinstance(version, bool)
    return (subject if isinstance(subject, str) else None), (version if whole else None)


def _why(error: Exception) -> str:
    """Return the cause in a few words: urllib3's own texts have object addresses in them."""
    reason = getattr(error, "reason", None) or error
    text = str(reason).rpartition(">: ")[2] or type(reason).__name__
    return " ".join(text.split())[:200]
