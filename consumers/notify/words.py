"""Words and formats of messages in each language, and the filters that templates have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consumers.decision import decision_words


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    tiers: Mapping[str, str]
    events: Mapping[str, str]
    """What happened to a warning."""
    lapsed_by: str
    """As `events["lapsed"]`, with who had acknowledged or snoozed it."""
    verdicts: Callable[[Any], str]
    instant: str
    day: str
    missing: str


def _chinese_decision(decision: Any) -> str:
    """Return a decision in Chinese, as `decision_words` has it in English.

    >>> _chinese_decision({"verdict": "rescue", "why": "worth", "net": 157.5})
    '挽留，预期净收益 157.50'
    """
    if not isinstance(decision, Mapping):
        return ""
    verdict, net = decision.get("verdict"), decision.get("net")
    if verdict == "rescue":
        return "挽留" if net is None else f"挽留，预期净收益 {net:,.2f}"
    if verdict != "dont":
        return ""
    reasons = {"problem_class": "问题客户", "do_not_contact": "不得联系", "play_none": "规则规定不采取行动"}
    reason = reasons.get(str(decision.get("why")), "不值得")
    return f"不挽留（{reason}" + (f"，净收益 {net:,.2f}）" if net is not None else "）")


ENGLISH: Final = Words(
    tiers={"high": "high", "medium": "medium", "low": "low"},
    events={
        **{word: word for word in ("opened", "escalated", "updated", "resolved", "withdrawn", "expired")},
        **{word: word for word in ("acknowledged", "snoozed")},
        "overdue": "escalated, as nobody acknowledged it in time",
        "lapsed": "needs somebody again",
    },
    lapsed_by="needs somebody again; {by} had acknowledged or snoozed it",
    verdicts=decision_words,
    instant="{at:%Y-%m-%d %H:%M} {zone}",
    day="{at:%Y-%m-%d}",
    missing="missing",
)
CHINESE: Final = Words(
    tiers={"high": "高", "medium": "中", "low": "低"},
    events={
        "opened": "新开启",
        "escalated": "已升级",
        "updated": "有更新",
        "resolved": "已解除",
        "withdrawn": "已撤回",
        "expired": "已过期",
        "acknowledged": "已确认",
        "snoozed": "已推迟",
        "overdue": "已升级：无人按时确认",
        "lapsed": "再次需要处理",
    },
    lapsed_by="再次需要处理；此前由 {by} 确认或推迟",
    verdicts=_chinese_decision,
    instant="{at.year}年{at.month}月{at.day}日 {at:%H:%M}（{zone}）",
    day="{at.year}年{at.month}月{at.day}日",
    missing="缺失",
)
WORDS: Final[Mapping[str, Words]] = {"en": ENGLISH, "zh": CHINESE}


def filters_of(language: str, time_zone: str) -> dict[str, Callable[..., str]]:
    """Return the filters that print values in a language, times by the clock of a time zone."""
    words = WORDS[language]

    def event(name: str, by: str | None = None) -> str:
        """Say what happened to a warning, such as `opened`."""
        if name == "lapsed" and by:
            return words.lapsed_by.format(by=by)
        return words.events.get(name, name)

    def instant(at: datetime) -> str:
        """Print an instant by the receiver's clock."""
        return words.instant.format(at=at.astimezone(ZoneInfo(time_zone)), zone=time_zone)

    def number(value: Any) -> str:
        """Print a number with at most four digits that count."""
        if value is None:
            return words.missing
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    return {
        "tier": lambda name: words.tiers.get(name, name),
        "event": event,
        "decision": words.verdicts,
        "time": instant,
        "day": lambda at: words.day.format(at=at),
        "number": number,
        "money": lambda value: f"{value:,.2f}",
        "percent": lambda value: f"{value:.0%}",
        "count": lambda value: f"{value:,}",
    }
