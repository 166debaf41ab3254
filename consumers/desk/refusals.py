"""Why the contract refuses what somebody asks for, in the reader's language.

The contract's errors are English, as topics and command lines carry them. The desk has a sentence of its own
for each that a form can bring about; another stands as it is.
"""

from __future__ import annotations

import re
from typing import Final

from consumers.language import _, gettext

_PLACE: Final = re.compile(
    r"(?:not (?:a silence|recurring hours): )?(?:(?P<field>[a-z_]+)[\w.]*: )?(?P<what>.*)"
)
FIELDS: Final = {
    "reason": _("Why"),
    "matchers": _("Which notices"),
    "begins": _("From"),
    "ends": _("To"),
    "cost": _("What it cost"),
    "reasons": _("Reasons"),
    "play": _("Play"),
    "result": _("What came of it"),
    "assignee": _("Assign"),
    "until": _("Until"),
    "customer_id": _("Customer"),
    "warning_id": _("Warning"),
    "corrects": _("Take back"),
}
"""Fields of the contract as forms name them."""
_OF_A_FIELD: Final = (
    (r"String should have at most (?P<most>\d+) characters?", _("at most %(most)s characters")),
    (r"String should have at least .*|it is empty", _("nothing is written there")),
    (r"Tuple should have at most (?P<most>\d+) items?.*", _("at most %(most)s of them")),
    (r".*U\+0000.*", _("a character that cannot be stored")),
    (r"Input should be (?:a finite|greater|less).*", _("an amount from 0 to 1,000,000,000,000")),
    (r"String should match pattern '\^\(\[01\].*", _("an hour such as 09:30")),
    (r"String should match pattern .*|Input should be '.*", _("not one of those that there are")),
    (r"has passed already", _("this time has passed already")),
    (r"belongs to .*|which action .*", _("does not fit what is done here")),
)
_OF_ALL: Final = (
    (r"it ends before it begins", _("It ends before it begins.")),
    (
        r"it has no end: .*",
        _("Only a silence of hours that come again may go on without an end."),
    ),
    (
        r"everything cannot be .*|it names no .*",
        _("Choose either all warnings or at least one thing to match."),
    ),
    (r"there is no silence .*", _("There is no such silence.")),
    (r"already expired: .*", _("This silence is over already.")),
    (r"the warning has ended: .*", _("The warning has ended: nothing can be done about it any more.")),
    (r"there is no such action of yours", _("There is no such action of yours.")),
    (r"there is no warning .*", _("There is no such warning.")),
    (r"warning_id is required .*", _("This can be done about an open warning only.")),
    (
        r"a view needs a name.*",
        _("A view needs a name of at most 80 characters, and somebody who sees it."),
    ),
    (r".* may look: a view .*", _("With your role you save views for yourself only.")),
    (r"(?P<who>.*) has a view of this name: .*", _("%(who)s has a view of this name: choose another.")),
    (r"this view is not yours", _("This view is not yours.")),
    (
        r"the answer (?:belongs to another attempt: .*|is of another provider)",
        _("This belongs to another attempt: sign in again."),
    ),
    (r"the provider refuses: (?P<why>.*)", _("The provider refuses: %(why)s")),
    (
        r"(?P<who>.*) does not work at this desk: .*",
        _("%(who)s does not work at this desk: an operator can add you to the people file."),
    ),
    (r"the provider does not say the person's (?P<claim>.*)", _("The provider does not say your %(claim)s.")),
    (
        r"the provider has not verified the person's address",
        _("The provider has not verified your address."),
    ),
    (
        r"the provider does not answer as it should: .*",
        _("The provider cannot be reached, or does not answer as it should: try again in a moment."),
    ),
    (
        r"the provider's token cannot be believed: .*|what the provider says of the person .*",
        _("The provider's answer cannot be trusted; the log of the desk has the details."),
    ),
    (r".* may look and not act", _("Your role does not allow this")),
)


def explained(error: Exception) -> str:
    """Return why something is refused, as a reader understands it."""
    text = str(error)
    for pattern, words in _OF_ALL:
        if found := re.fullmatch(f"(?:not [a-z ]+: )?(?:[a-z_]+: )?(?:{pattern})", text, re.DOTALL):
            return gettext(words) % found.groupdict()
    place = _PLACE.fullmatch(text)
    if place is not None and place["field"] in FIELDS:
        for pattern, words in _OF_A_FIELD:
            if found := re.fullmatch(pattern, place["what"], re.DOTALL):
                return f"{gettext(FIELDS[place['field']])}: {gettext(words) % found.groupdict()}"
    return text
