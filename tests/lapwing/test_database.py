from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from consumers.database.database import Database
from lapwing.cli import lapwing
from tests.command_lines import refusal

READERS = ("effects", "plays estimate", "scorecard", "lapsed", "warnings list", "warnings show abc")


@pytest.mark.parametrize("command", READERS)
def test_a_database_that_is_not_there_is_not_made(command: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'typo.db'}"
    code, line = refusal(lapwing, [*command.split(), "--database", url])
    assert (code, line.partition(";")[0]) == (1, f"there is no database {url} yet: `lapwing sink` makes it")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", READERS)
def test_a_database_of_a_newer_version_is_refused(command: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    database = Database(url)
    database.prepare()
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    database.close()
    code, line = refusal(lapwing, [*command.split(), "--database", url])
    assert code == 1
    assert "has version 999, this Lapwing knows up to" in line
