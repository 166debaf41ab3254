"""What stands in a page as text is never HTML, whoever wrote it."""

from consumers.desk.rendering import ENVIRONMENT
from consumers.language import language


def shown(template: str, **given: object) -> str:
    return ENVIRONMENT.from_string(template).render(given)


def test_a_text_that_a_page_translates_is_escaped_unless_it_is_ours() -> None:
    hostile = "550 <img src=x onerror=alert(1)> 100 % %(evil)s"
    for name in ("en", "zh"):
        token = language.set(name)
        try:
            assert shown("{{ _(why) }}", why=hostile) == (
                "550 &lt;img src=x onerror=alert(1)&gt; 100 % %(evil)s"
            )
        finally:
            language.reset(token)
    assert shown("{{ _('Queue') }}") == "Queue"
    assert shown("{{ _('%(name)s has it', name=name) }}", name="<b>") == "&lt;b&gt; has it"
