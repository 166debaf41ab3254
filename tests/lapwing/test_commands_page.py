"""The page of commands: every command with every option, none of its text lost to Markdown."""

from lapwing.commands_page import _escaped, page
from tests.lapwing.test_cli import EVERY


def test_every_command_and_option_is_on_the_page() -> None:
    sections = dict(part.partition("\n")[::2] for part in page().split("\n\n#")[1:])
    by_path = {tuple(heading.lstrip("# ").split()[1:]): text for heading, text in sections.items()}
    assert set(by_path) == {path for path in EVERY if path}
    for path, text in by_path.items():
        for option in EVERY[path].params:
            if option.param_type_name == "option" and not getattr(option, "hidden", False):
                assert option.opts[-1] in text, (path, option.opts)
    assert "Ends by itself within two" in by_path["demo",]


def test_text_that_looks_like_markup_stays_text() -> None:
    assert _escaped("a <b> and `<c> *d*` e*f") == r"a \<b\> and `<c> *d*` e\*f"
