"""What surrounds every page: headers, languages, errors, files from nowhere else."""

import hashlib
import re
from importlib.resources import files

import pytest
from fastapi.testclient import TestClient

from consumers import language
from consumers.database.database import Database
from tests.consumers.desk.desks import browser, desk_over
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, value

MOST_BYTES = 150_000

VENDORED = {
    # name: version, licence, SHA-256 of the file as its authors publish it
    "htmx.min.js": ("4.0.1", "0BSD", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"),
    "hx-sse.min.js": ("4.0.1", "0BSD", "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103"),
    "pico.min.css": ("2.1.1", "MIT", "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db"),
    "uPlot.iife.min.js": (
        "1.6.32",
        "MIT",
        "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    ),
    "uPlot.min.css": ("1.6.32", "MIT", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
}


def test_files_of_others_are_as_they_were_published_and_have_their_licences() -> None:
    folder = files("consumers.desk").joinpath("static", "vendor")
    there = {each.name for each in folder.iterdir()}
    licences = {"htmx.LICENSE", "pico.LICENSE", "uPlot.LICENSE"}
    assert there == VENDORED.keys() | licences
    for name, (_version, _licence, digest) in VENDORED.items():
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == digest, name


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_that_stands_in_it(database: Database) -> None:
    store_records(database, records(life("c1")[:1]))
    answer = browser(desk_over(database)).get("/")
    assert answer.status_code == 200
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', answer.text)
    assert addresses
    assert all(each.startswith(("/", "#", "?")) and not each.startswith("//") for each in addresses), (
        addresses
    )
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def first_load(client: TestClient, path: str) -> dict[str, int]:
    """Return how many bytes come over the wire for a page and what it loads, by address."""
    sizes: dict[str, int] = {}
    waiting = [path]
    while waiting:
        address = waiting.pop()
        answer = client.get(address)
        assert answer.status_code == 200, address
        sizes[address] = answer.num_bytes_downloaded
        found = re.findall(r'<(?:link[^>]* href|script[^>]* src|img[^>]* src)="([^"]+)"', answer.text)
        if address.partition("?")[0].endswith(".js"):
            found = re.findall(r'(?:from|import) *"(\./[^"]+)"', answer.text)
            found = [f"/static/{each.removeprefix('./')}" for each in found]
        waiting += [each for each in found if each not in sizes and each not in waiting]
    return sizes


@pytest.mark.parametrize("path", ["/", "/customers/c1"])
def test_the_first_load_is_light(database: Database, path: str) -> None:
    store_records(database, records([value(customer=f"c{number}") for number in range(60)]))
    client = browser(desk_over(database))
    sizes = first_load(client, path)
    assert len(sizes) > 8
    assert all(sizes.values())
    assert sum(sizes.values()) < MOST_BYTES, sizes
    assert client.get(path).headers["content-encoding"] == "gzip"
    assert len(client.get(path).content) > 3 * sizes[path]
    assert "content-encoding" not in client.get(path, headers={"Accept-Encoding": "identity"}).headers


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_what_is_not_there_is_a_page_that_leads_back(database: Database, method: str) -> None:
    answer = browser(desk_over(database)).request(method, "/no-such-page")
    assert answer.status_code in (404, 405)
    assert 'href="/"' in answer.text


def test_the_language_is_the_chosen_one_or_else_that_of_the_browser(database: Database) -> None:
    client = browser(desk_over(database), {"Accept-Language": "fr, zh-CN;q=0.8"})
    assert 'lang="zh-Hans"' in client.get("/").text
    answer = client.post(
        "/language", data={"language": "en", "back": "//evil.example/"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'lang="en-GB"' in client.get("/").text
    assert client.post("/language", data={"language": "xx"}).status_code == 422


def test_every_language_has_a_name() -> None:
    assert language.LANGUAGES.keys() == language.LOCALES.keys()
