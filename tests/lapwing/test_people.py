"""The people file as the desk takes it, and settings that would let anybody in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consumers.desk.people.people import token_hash
from consumers.desk.people.person import Role
from lapwing.cli.desk import command
from lapwing.people import PeopleFolder, access_terms, oidc_terms, read_people
from lapwing.settings.settings import Settings
from streams.errors import RuleFilesError, SettingsError

FILE = """\
version: 1
teams:
  - name: north
    capacity: 40
    time_zone: Europe/Berlin
    takes: {region: [North, Islands], class: key}
people:
  - {name: ann, role: agent, team: north, language: zh, email: Ann@Shop.example}
  - {name: olga, role: operator, time_zone: Asia/Shanghai, subject: '4711'}
"""


def test_a_file_becomes_people(tmp_path: Path) -> None:
    (path := tmp_path / "people.yaml").write_text(FILE)
    people = read_people(path)
    ann = people.known_as("ann@shop.example")
    olga = people.with_subject("4711")
    assert ann is not None
    assert olga is not None
    assert ann is people.named("ann")
    assert ann.person.team is not None
    assert (ann.person.role, ann.person.language) == (Role.AGENT, "zh")
    assert (ann.person.team.capacity, ann.person.team.time_zone) == (40, "Europe/Berlin")
    assert ann.person.team.takes == {"region": ("North", "Islands"), "class": ("key",)}
    assert (olga.person.role, olga.person.time_zone, olga.person.team) == (
        Role.OPERATOR,
        "Asia/Shanghai",
        None,
    )


def test_it_is_read_again_when_it_changes_and_stays_in_force_while_it_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (path := tmp_path / "people.yaml").write_text(FILE)
    folder = PeopleFolder(path)
    before = folder.current()
    assert before is folder.current()
    path.write_text(FILE.replace("role: agent", "role: chief"))
    assert folder.current() is before
    assert "must be viewer, agent or operator" in caplog.text
    path.write_text(FILE.replace("role: agent", "role: viewer"))
    ann = folder.current().named("ann")
    assert ann is not None
    assert ann.person.role is Role.VIEWER
    path.unlink()
    assert folder.current().named("ann") is ann


def test_a_desk_does_not_start_with_a_wrong_file(tmp_path: Path) -> None:
    with pytest.raises(RuleFilesError, match="cannot be read"):
        PeopleFolder(tmp_path / "none.yaml")


def settings(**given: Any) -> Settings:
    return Settings.model_validate(given)


@pytest.mark.parametrize("host", ["0.0.0.0:8085", "192.0.2.7:80", "[::]:8085", "desk.example:80", ":8085"])
def test_nobody_but_this_machine_reaches_a_desk_without_people(host: str) -> None:
    with pytest.raises(SettingsError, match="desk_people"):
        access_terms(settings(desk_listen=host if host != ":8085" else "0:8085"))
    access_terms(settings(desk_listen=host if host != ":8085" else "0:8085", desk_people="people.yaml"))


@pytest.mark.parametrize("host", ["127.0.0.1:8085", "[::1]:0", "localhost:8085", "127.0.0.5:1"])
def test_on_this_machine_it_needs_none(host: str) -> None:
    assert access_terms(settings(desk_listen=host)).proxy_header is None


def test_a_header_of_a_proxy_needs_the_proxies_and_the_people() -> None:
    with pytest.raises(SettingsError, match="desk_proxies"):
        access_terms(settings(desk_people="p.yaml", desk_proxy_header="Remote-User"))
    with pytest.raises(SettingsError, match="desk_people"):
        access_terms(settings(desk_proxy_header="Remote-User", desk_proxies="127.0.0.1"))
    terms = access_terms(
        settings(desk_people="p.yaml", desk_proxy_header="Remote-User", desk_proxies="127.0.0.1 10.0.0.0/8")
    )
    assert [terms.proxies.trusts(each) for each in ("127.0.0.1", "10.9.9.9", "11.0.0.1")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("desk_proxies", "0.0.0.0/0"),
        ("desk_proxies", "::/0"),
        ("desk_proxies", "proxy.example"),
        ("desk_proxies", "10.0.0.7/8"),
        ("desk_proxy_header", "Remote User"),
        ("desk_proxy_header", "Cookie"),
    ],
)
def test_what_lets_everybody_in_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings(**{name: value})


def test_a_token_is_printed_with_the_line_for_the_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["token", "ann"])
    assert result.exit_code == 0
    token = result.stderr.strip().rpartition(" ")[2]
    (path := tmp_path / "people.yaml").write_text(f"version: 1\npeople:\n{result.stdout}    role: agent\n")
    found = read_people(path).with_token(token)
    assert found is not None
    assert found.token_hash == token_hash(token)
    assert token not in result.stdout


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "desk_oidc_client_id"),
        ({"desk_oidc_client_id": "desk"}, "desk_url"),
        (
            {
                "desk_oidc_client_id": "desk",
                "desk_url": "https://desk.example",
                "desk_oidc_issuer": "http://id.example",
            },
            "https",
        ),
    ],
)
def test_a_provider_needs_all_that_belongs_to_it(given: dict[str, str], says: str) -> None:
    whole = {"desk_people": "p.yaml", "desk_oidc_issuer": "https://id.example", **given}
    with pytest.raises(SettingsError, match=says):
        access_terms(settings(**whole))


def test_a_provider_is_as_the_settings_have_it() -> None:
    assert oidc_terms(settings()) is None
    found = oidc_terms(
        settings(
            desk_people="p.yaml",
            desk_oidc_issuer="https://id.example/",
            desk_oidc_client_id="desk",
            desk_oidc_client_secret="hush",
            desk_url="https://desk.example/retention/",
        )
    )
    assert found is not None
    assert (found.issuer, found.client_secret, found.claim) == ("https://id.example", "hush", "email")
    assert found.redirect_uri == "https://desk.example/retention/sign-in/oidc/back"
