"""From inputs.yaml and the secrets to sources of webhooks; the mappings of docs/ingest.md."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from consumers.ingest.hooks import with_about
from consumers.ingest.senders import SENDERS
from consumers.ingest.sources import MappedDelivery
from lapwing.ingest import HookInputs, hook_sources, read_secrets
from lapwing.settings.settings import Settings, load_settings
from streams.contract.rejected import RefusalReason
from streams.core.events.topics import Topic
from streams.errors import LapwingError, SettingsError
from tests.consumers.ingest.signers import OTHER, SECRETS
from tests.lapwing.hook_samples import LOGIN, SAMPLES, Sample, mappings

NOW_S = 1_767_900_000.0  # some days after the samples
FILE = mappings()["signed"]
SECRET = SECRETS["signed"]


def settings_of(folder: Path, content: str = FILE, secrets: str = f"app={SECRET}", **given: str) -> Settings:
    path = folder / "inputs.yaml"
    path.write_text(content)
    environ = {"LAPWING_INPUTS": str(path), "LAPWING_INGEST_SECRETS": secrets, **given}
    return load_settings(environ=environ)


def mapped(settings: Settings, sample: Sample) -> MappedDelivery:
    assert settings.inputs_file is not None
    (source,) = hook_sources(settings, settings.inputs_file, lambda: NOW_S).values()
    about = source.sender.about(sample.headers())
    (found,) = source.map([with_about(sample.body, about)])
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.word)
def test_the_mappings_of_the_page_make_events_of_what_senders_send(tmp_path: Path, sample: Sample) -> None:
    names = ("orders", "payments", "app")
    content = mappings()[sample.word]
    name = next(name for name in names if f"\n  {name}:" in content)
    found = mapped(settings_of(tmp_path, content, f"{name}={SECRETS[sample.word]}"), sample)
    assert found.refusals == ()
    if sample.event is None:
        assert found.events == ()
        return
    (event,) = found.events
    value = json.loads(event.value)
    assert {name: value.get(name) for name in sample.event} == sample.event
    assert event.key == value["customer_id"].encode()
    assert event.topic == ("logins" if sample.word == "signed" else "orders")


def test_each_kind_of_sender_has_its_mapping_on_the_page() -> None:
    assert set(mappings()) == set(SENDERS) == {sample.word for sample in SAMPLES if sample.event is not None}


def test_what_the_contract_refuses_is_refused_here_and_costs_the_others_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert settings.inputs_file is not None
    (source,) = hook_sources(settings, settings.inputs_file, lambda: NOW_S).values()
    bodies = [
        json.dumps({**LOGIN, **change, "_webhook": {"id": "d"}}).encode()
        for change in (
            {},
            {"at": "2027-01-01T00:00:00Z"},
            {"user": {"id": "x" * 200}},
            {"at": "soon"},
            {"type": "x"},
        )
    ]
    found = source.map([*bodies, b"[1]"])
    assert [len(each.events) for each in found] == [1, 0, 0, 0, 0, 0]
    reasons = [[refusal.reason for refusal in each.refusals] for each in found]
    assert reasons[:3] == [[], [RefusalReason.FUTURE_TIME], [RefusalReason.OUT_OF_RANGE]]
    assert (len(reasons[3]), reasons[4], reasons[5]) == (1, [], [RefusalReason.NOT_OBJECT])
    assert all("x" * 200 not in refusal.detail for each in found for refusal in each.refusals)


def test_the_topics_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, LAPWING_LOGINS="shop.logins")
    (sample,) = [each for each in SAMPLES if each.word == "signed"]
    (event,) = mapped(settings, sample).events
    assert (event.topic, settings.topics[Topic.LOGINS]) == ("shop.logins", "shop.logins")


def test_sources_of_topics_in_the_same_file_need_no_registry_here(tmp_path: Path) -> None:
    avro = FILE.replace("  app:", "  other:").replace("webhook: signed", "topic: other\n    format: avro")
    both = FILE + avro.partition("sources:\n")[2]
    assert list(HookInputs(settings_of(tmp_path, both)).current()) == ["app"]


def refused(settings: Settings) -> str:
    with pytest.raises(LapwingError) as caught:
        HookInputs(settings)
    return str(caught.value)


def test_without_a_file_or_a_secret_it_does_not_start(tmp_path: Path) -> None:
    assert "write one, or name it with --inputs" in refused(load_settings(environ={}))
    path = tmp_path / "inputs.yaml"
    assert refused(settings_of(tmp_path, secrets="")) == (
        f"{path}: source app has no secret: add app=SECRET to LAPWING_INGEST_SECRETS"
    )
    assert refused(settings_of(tmp_path, secrets=f"app={SECRET} shop={SECRET}")) == (
        f"ingest_secrets: {path} has no source 'shop' with `webhook`"
    )
    assert "a secret of app: it is not whsec_" in refused(
        settings_of(tmp_path, secrets="app=long-but-no-base64-of")
    )
    foreign = FILE.replace("webhook: signed", "topic: shop.logins")
    assert "no source has `webhook`" in refused(settings_of(tmp_path, foreign, ""))


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ("hunter2-hunter2-hunter2", "ingest_secrets: number 1 is not SOURCE=SECRET"),
        ("App=hunter2-hunter2-hunter2", "ingest_secrets: number 1 is not SOURCE=SECRET"),
        ("app=hunter2", "ingest_secrets: a secret of app should have 16 characters or more"),
        ("a=" + " a=".join(["hunter2-hunter2-hunter2"] * 3), "ingest_secrets: a has more than two secrets"),
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_shown(secrets: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_secrets(load_settings(environ={"LAPWING_INGEST_SECRETS": secrets}).ingest_secrets)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_two_secrets_are_valid_while_a_sender_changes_over(tmp_path: Path) -> None:
    inputs = HookInputs(settings_of(tmp_path, secrets=f"app={SECRET}\napp={OTHER['signed']}"))
    assert len(inputs.current()["app"].keys) == 2
    assert SECRET not in repr(inputs.current())


def look(inputs: HookInputs) -> None:
    """Look until a change counts."""
    before = inputs.current()
    inputs.look()
    assert inputs.current() is before
    inputs.look()


def test_secrets_in_a_file_change_without_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The old one, both while the sender changes over, the new one; a mistake in between changes nothing."""
    file = tmp_path / "secrets"
    old, new = f"app={SECRET}", f"app={OTHER['signed']}"
    file.write_text(old)
    file.chmod(0o600)
    settings = settings_of(tmp_path, secrets="", LAPWING_INGEST_SECRETS_FILE=str(file))
    inputs = HookInputs(settings)
    (first,) = inputs.current()["app"].keys
    file.write_text(f"{old}\n{new}\n")
    look(inputs)
    assert inputs.current()["app"].keys[0] == first
    (_, second) = inputs.current()["app"].keys
    for wrong in (f"{old} {new} app={'x' * 20}", "app=short", "", f"shop={SECRET}"):
        file.write_text(wrong)
        look(inputs)
        assert (inputs.broken, inputs.current()["app"].keys) == (True, (first, second))
    file.write_text(new)
    look(inputs)
    assert (inputs.broken, inputs.current()["app"].keys) == (False, (second,))
    assert SECRET not in caplog.text
    assert OTHER["signed"] not in caplog.text


def test_new_rates_count_without_a_restart(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("day,currency,rate\n2026-01-08,USD,0.9\n")
    inputs = HookInputs(settings_of(tmp_path, LAPWING_RATES=str(rates), LAPWING_CURRENCY="EUR"))
    before = inputs.current()
    rates.write_text("day,currency,rate\n2026-01-08,USD,0.95\n")
    look(inputs)
    assert inputs.current() is not before


def test_the_file_is_read_again_when_it_changes_and_stays_in_force_while_it_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_of(tmp_path)
    inputs = HookInputs(settings)
    before = inputs.current()
    inputs.look()
    assert inputs.current() is before
    path = tmp_path / "inputs.yaml"
    for wrong, says in (
        (FILE.replace("user.id", "user..id"), "inputs.yaml:"),
        (FILE.replace("  app:", "  other:"), "source other has no secret"),
    ):
        path.write_text(wrong)
        look(inputs)
        assert (inputs.current() is before, inputs.broken) == (True, True)
        assert says in caplog.text
    path.unlink()
    look(inputs)
    assert (inputs.current() is before, inputs.broken) == (True, True)
    with caplog.at_level(logging.INFO):
        path.write_text(FILE.replace("channel: device", "channel: kind"))
        look(inputs)
    assert (inputs.current() is before, inputs.broken) == (False, False)
    assert "read again, 1 sources of webhooks" in caplog.text
