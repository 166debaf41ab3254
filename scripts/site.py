"""The documentation as a site, built by Zensical from the pages of the repository; a warning is an error.

python -m scripts.site [FOLDER]    (`make docs`; default: .cache/site)

Pages and the files that they link to are copied with their paths, so that a link is the same on the site and
in the repository. Nothing on the site is loaded from elsewhere. `zensical.toml` holds the navigation.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
CONFIG: Final = ROOT / "zensical.toml"
LINK: Final = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MADE: Final = {"docs/commands.md": "lapwing.commands_page", "docs/fields.md": "lapwing.fields_page"}
"""Pages of the site that are made from the code while it is built."""


def in_navigation(entry: Any = None) -> list[str]:
    """Return the pages of the navigation, in its order."""
    if entry is None:
        entry = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]["nav"]
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else entry
    return [page for each in inner for page in in_navigation(each)]


def linked(page: Path) -> set[Path]:
    """Return the files of the repository that a page links to or shows."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in LINK.findall(text) if "://" not in target]
    found = {(page.parent / target).resolve() for target in targets}
    return {path for path in found if path.is_file() and path.is_relative_to(ROOT)}


def collect(folder: Path) -> None:
    """Copy all pages of the navigation, and what they link to that is no page, into an empty folder."""
    pages = [ROOT / name for name in in_navigation() if name not in MADE]
    files = {path for page in pages for path in linked(page) if path.suffix != ".md"}
    for path in (*pages, *files):
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    for name, module in MADE.items():
        done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        (folder / name).write_bytes(done.stdout)


def build(folder: Path) -> Path:
    """Build the site below `folder` and return where it is; raise where a page has a mistake."""
    pages, site = folder / "pages", folder / "html"
    for made in (pages, site):
        shutil.rmtree(made, ignore_errors=True)
    pages.mkdir(parents=True)
    collect(pages)
    config = folder / "zensical.toml"
    places = f'\\1docs_dir = "{pages.name}"\nsite_dir = "{site.name}"\n'
    text = CONFIG.read_text(encoding="utf-8")
    config.write_text(re.sub(r"^(\[project\]\n)", places, text, flags=re.MULTILINE), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "--config-file", str(config)]
    subprocess.run(command, cwd=folder, check=True)
    return site


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".cache" / "site"
    try:
        print(f"the site is in {build(place.resolve())}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
