"""The files that hold secrets: that not every user of the machine may read them."""

from __future__ import annotations

from lapwing.doctor.check import Doubtful
from lapwing.doctor.installation import Installation


def secret_files(installation: Installation) -> str:
    """Check the files that settings with secrets name."""
    exposed = installation.settings.exposed_files()
    if exposed:
        which = ", ".join(f"{path} ({name})" for name, path in exposed.items())
        msg = f"every user of this machine may read {which}: take away the right, as with `chmod o-r`"
        raise Doubtful(msg)
    return "no file with a secret is open to every user"
