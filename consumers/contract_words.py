"""The words of the contract as people read them; desk and reports show them in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers.language import _

WORDS: Final[Mapping[str, str]] = {
    # tiers
    "high": _("high"),
    "medium": _("medium"),
    "low": _("low"),
    # statuses of rules
    "active": _("in force"),
    "shadow": _("in shadow"),
    "draft": _("draft"),
    "paused": _("paused"),
    "retired": _("retired"),
    # states of a warning, and what happened to it
    "open": _("open"),
    "opened": _("opened"),
    "escalated": _("escalated"),
    "updated": _("updated"),
    "resolved": _("resolved"),
    "withdrawn": _("withdrawn"),
    "expired": _("closed by the team"),
    # who has it in hand
    "waiting": _("waits for somebody"),
    "acknowledged": _("acknowledged"),
    "snoozed": _("snoozed"),
    "lapsed": _("waits again"),
    "overdue": _("overdue"),
    # decisions, and why
    "rescue": _("rescue"),
    "dont": _("do not rescue"),
    "unknown": _("undecided"),
    "worth": _("the gain is worth the cost"),
    "not_worth": _("the cost is more than the gain"),
    "problem_class": _("a problem customer"),
    "do_not_contact": _("must not be contacted"),
    "play_none": _("the rule plans nothing"),
    "missing": _("something is not known"),
    "prior": _("a guess"),
    "measured": _("measured"),
    # what may not be known for a decision
    "play": _("play"),
    "value": _("value"),
    "probability": _("probability"),
    "success": _("success"),
    "cost": _("cost"),
    # classes of customers
    "key": _("key customer"),
    "ordinary": _("ordinary"),
    "small": _("small"),
    "problem": _("problem"),
    # actions
    "acknowledge": _("acknowledge"),
    "snooze": _("snooze"),
    "expire": _("close"),
    "contact": _("contact"),
    "offer": _("offer"),
    "assign": _("assign"),
    "unassign": _("give back"),
    "confirm": _("confirm"),
    "correct": _("take back"),
    # what came of them
    "not_reached": _("not reached"),
    "reached": _("reached"),
    "call_back": _("call back"),
    "accepted": _("accepted"),
    "declined": _("declined"),
    "will_return": _("means to return"),
    "returned": _("has returned"),
    "moved_away": _("moved away"),
    "other_branch": _("goes to another branch"),
    "uses_competitor": _("uses a competitor"),
    "need_gone": _("needs it no more"),
    "wrong_contact": _("wrong contact"),
    "false_alarm": _("false alarm"),
    "other": _("other"),
    # what a play costs something for
    "gift": _("gift"),
    "communication": _("communication"),
    "labour": _("labour"),
    "discount": _("discount"),
    # groups of the model's inputs, and of rules' reasons
    "activity": _("activity"),
    "spend": _("spend"),
    "rhythm": _("rhythm"),
    "service": _("service"),
    "returns": _("returns"),
    "contract": _("contract"),
    "tenure": _("tenure"),
    "model": _("the model"),
}
"""What is shown for a word of the contract, in English."""
