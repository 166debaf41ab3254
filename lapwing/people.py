"""From people.yaml and the settings to who may come to the desk."""

from __future__ import annotations

import logging
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from consumers.desk.people.access import AccessTerms
from consumers.desk.people.oidc import OidcTerms
from consumers.desk.people.people import Member, People
from consumers.desk.people.person import Person, Role, Team
from consumers.desk.people.proxy import Proxies, is_loopback
from lapwing.settings.settings import Settings
from lapwing.settings.values import is_safe_address
from streams.errors import LapwingError, SettingsError
from streams.rulebook.files import read_files, stamp
from streams.rulebook.people_file import PeopleFile
from streams.rulebook.reader import RulebookRefused, read_document

log = logging.getLogger(__name__)


class PeopleFolder:
    """The people file, read again when it has changed; while it is wrong, who was in it last is in force."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = stamp(self._path)
        self._people = read_people(path)

    def current(self) -> People:
        """Return who works at the desk now."""
        there = stamp(self._path)
        if there != self._seen:
            self._seen = there
            try:
                self._people = read_people(self._path)
                log.info("%s: read again, %d people", self._path, len(self._people.members))
            except LapwingError as error:
                log.error("%s; the people from before stay in force", error)
        return self._people


def read_people(path: Path) -> People:
    """Return the people of a file; raises `RulebookRefused` with every mistake."""
    read = read_files([path])
    if read.mistakes:
        raise RulebookRefused(read.mistakes)
    found = read_document(str(path), read.contents[str(path)], PeopleFile)
    if found.content is None:
        raise RulebookRefused(found.mistakes)
    return people_of(found.content)


def people_of(file: PeopleFile) -> People:
    """Return the people that a file describes."""
    teams = {
        each.name: Team(each.name, each.capacity, each.time_zone, each.takes.words) for each in file.teams
    }
    return People(
        Member(
            Person(
                each.name,
                Role[each.role.upper()],
                teams[each.team] if each.team is not None else None,
                each.time_zone,
                each.language,
            ),
            each.token,
            each.email,
            each.subject,
        )
        for each in file.people
    )


def access_terms(settings: Settings) -> AccessTerms:
    """Return what the settings have on who may come in; raises `SettingsError` where it is not safe."""
    host = settings.desk_listen.rpartition(":")[0].strip("[]")
    if settings.desk_people is None:
        if not is_loopback(host):
            msg = (
                f"the desk would listen on {host}, where others reach it, and nobody would sign in: name "
                "people with desk_people, or listen on 127.0.0.1"
            )
            raise SettingsError(msg)
        for name in ("desk_proxy_header", "desk_oidc_issuer"):
            if getattr(settings, name) is not None:
                msg = f"{name} needs desk_people: the file says what those who sign in may do"
                raise SettingsError(msg)
    if settings.desk_proxy_header is not None and not settings.desk_proxies:
        msg = (
            "desk_proxy_header needs desk_proxies, the addresses of the reverse proxies: else anybody could "
            "send the header"
        )
        raise SettingsError(msg)
    if settings.desk_oidc_issuer is not None:
        _check_oidc(settings)
    return AccessTerms(
        base_url=settings.desk_url,
        session_lasts=timedelta(microseconds=settings.desk_session_lasts),
        session_idle=timedelta(microseconds=settings.desk_session_idle),
        proxy_header=settings.desk_proxy_header,
        proxies=Proxies(tuple(ip_network(each) for each in settings.desk_proxies)),
    )


def _check_oidc(settings: Settings) -> None:
    wrong = None
    if settings.desk_oidc_client_id is None:
        wrong = "desk_oidc_issuer needs desk_oidc_client_id, by which the provider knows the desk"
    elif settings.desk_url is None:
        wrong = "desk_oidc_issuer needs desk_url: the provider sends people back there"
    elif settings.desk_oidc_issuer is not None and not is_safe_address(settings.desk_oidc_issuer):
        wrong = "desk_oidc_issuer must be reached by https"
    if wrong is not None:
        raise SettingsError(wrong)


def oidc_terms(settings: Settings) -> OidcTerms | None:
    """Return the OpenID provider at which people sign in, where there is one."""
    issuer, client_id, url = settings.desk_oidc_issuer, settings.desk_oidc_client_id, settings.desk_url
    if issuer is None or client_id is None or url is None:
        return None
    secret = settings.desk_oidc_client_secret
    return OidcTerms(
        issuer,
        client_id,
        url,
        secret.get_secret_value() if secret is not None else None,
        settings.desk_oidc_claim,
    )
