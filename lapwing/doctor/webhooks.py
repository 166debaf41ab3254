"""The webhooks that `lapwing ingest` takes: that inputs.yaml can be read, and each source has its secret."""

from __future__ import annotations

from lapwing.doctor.check import Skipped
from lapwing.doctor.installation import Installation
from lapwing.ingest import HookInputs, has_webhooks


def webhooks(installation: Installation) -> str:
    """Check what an intake that is started now would read."""
    settings = installation.settings
    path = settings.inputs_file
    if path is None or not (settings.ingest_secrets or has_webhooks(settings, path)):
        msg = "none are taken"
        raise Skipped(msg)
    sources = HookInputs(settings).current()
    return f"{path}: {', '.join(sources)}, each with what it is signed with"
