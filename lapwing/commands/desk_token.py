"""`lapwing desk token`: a token with which somebody signs in at the desk."""

from __future__ import annotations

import json

import click

from consumers.desk.people.people import new_token, token_hash
from streams.errors import DeskError
from streams.rulebook.people_file import person_name
from streams.rulebook.reader import WrongValueError


def run(name: str) -> None:
    """Print a new token, and the line for the people file."""
    try:
        person_name(name)
    except WrongValueError as error:
        msg = f"the name {error.message}"
        raise DeskError(msg) from error
    token = new_token()
    click.echo(f"the token of {name}, which is shown this once: {token}", err=True)
    click.echo(f"  - name: {json.dumps(name, ensure_ascii=False)}\n    token: {token_hash(token)}")
