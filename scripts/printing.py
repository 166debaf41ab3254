"""`python -m scripts.printing fetch`: Pango and the fonts with which a report becomes a PDF."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Final

from scripts.commands import fetching, run_script
from scripts.debian import Missing, install

PACKAGES: Final = (
    *("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    *("fonts-dejavu-core", "fonts-noto-cjk"),
)
"""As docs/report.md and the Dockerfile name them."""
PROBE: Final = """\
import weasyprint
page = weasyprint.HTML(string="<p>Report 客户留存</p>").render()
page.write_pdf()  # what a font has is looked up here
sys.exit(", ".join(chr(each) for font in page.fonts.values() for each in font.missing) or 0)
"""


@cache
def lacking() -> str | None:
    """Return what keeps a PDF in English and Chinese from being made here, `None` where nothing does."""
    # In a process of its own: what is installed meanwhile is found by a new one only.
    tried = subprocess.run(
        [sys.executable, "-c", f"import sys\n{PROBE}"], capture_output=True, text=True, check=False
    )
    if not tried.returncode:
        return None
    return (tried.stderr.strip().splitlines() or ["it ended without a word"])[-1]


def fetch() -> None:
    """Install what is missing, where this user may. Raises `Missing`."""
    if lacking() is None:
        return
    install("what a PDF needs", *PACKAGES)
    lacking.cache_clear()
    if (why := lacking()) is not None:
        msg = f"a PDF cannot be made, nor after installing {' '.join(PACKAGES)}: {why}"
        raise Missing(msg)


def main() -> int:
    """Fetch it; exit code 3 where it cannot be had here, with the reason in a line."""
    help_text = "install Pango and fonts where they are missing and this user may"
    return run_script("printing", __doc__, fetching(help_text, fetch))


if __name__ == "__main__":
    sys.exit(main())
