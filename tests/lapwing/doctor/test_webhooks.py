from __future__ import annotations

from pathlib import Path

import pytest

from lapwing.doctor.check import Skipped
from lapwing.doctor.installation import Installation
from lapwing.doctor.webhooks import webhooks
from lapwing.settings.settings import load_settings
from streams.errors import LapwingError
from tests.consumers.ingest.signers import SECRETS
from tests.lapwing.hook_samples import mappings


def installation(secrets: str = "", inputs: str = "") -> Installation:
    environ = {"LAPWING_INGEST_SECRETS": secrets, "LAPWING_INPUTS": inputs}
    return Installation(load_settings(environ=environ))


def test_where_none_are_taken_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(Skipped, match="none are taken"):
        webhooks(installation())
    path = tmp_path / "inputs.yaml"
    path.write_text(mappings()["signed"].replace("webhook: signed", "topic: shop.logins"))
    with pytest.raises(Skipped, match="none are taken"):
        webhooks(installation(inputs=str(path)))


def test_it_finds_what_would_keep_an_intake_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "inputs.yaml"
    path.write_text(mappings()["signed"])
    with pytest.raises(LapwingError, match="source app has no secret"):
        webhooks(installation(inputs=str(path)))
    secret = f"app={SECRETS['signed']}"
    assert webhooks(installation(secret, str(path))) == f"{path}: app, each with what it is signed with"
    path.write_text("version: 2\n")
    with pytest.raises(LapwingError, match=r"inputs\.yaml:"):
        webhooks(installation(secret, str(path)))
