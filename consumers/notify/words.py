"""Words and formats of messages in each language, and the filters that templates have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consumers.decision import decision_words
from consumers.muting.notes import DeferredNote, FlappingNote, decode_notes
from consumers.reason_words import reason_text


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    tiers: Mapping[str, str]
    events: Mapping[str, str]
    """What happened to a warning."""
    lapsed_by: str
    """As `events["lapsed"]`, with who had acknowledged or snoozed it."""
    verdicts: Callable[[Any], str]
    deferred: str
    reasons: Mapping[str, str]
    """Why a message is late, by `MuteReason`."""
    silence: str
    flapping: str
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
    deferred="Deferred since {since}: {why}",
    reasons={
        "silence": "silenced",
        "quiet_hours": "quiet hours",
        "fatigue": "too many notices of this customer",
        "flapping": "flapping",
    },
    silence=" ({reason})",
    flapping="Flapping: it opened {times} times within {days:g} days. The next notice comes when it has not "
    "opened for {days:g} days, or is worse.",
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
        "acknowledged": "已接手",
        "snoozed": "已暂缓",
        "overdue": "已升级：无人按时接手",
        "lapsed": "再次需要处理",
    },
    lapsed_by="再次需要处理；此前由 {by} 接手或暂缓",
    verdicts=_chinese_decision,
    deferred="自 {since} 起推迟：{why}",
    reasons={
        "silence": "已静默",
        "quiet_hours": "免打扰时段",
        "fatigue": "该客户的通知过多",
        "flapping": "反复开启",
    },
    silence="（{reason}）",
    flapping="反复开启：{days:g} 天内开启了 {times} 次。连续 {days:g} 天未再开启或情况加重时，才会再次通知。",
    instant="{at.year}年{at.month}月{at.day}日 {at:%H:%M}（{zone}）",
    day="{at.year}年{at.month}月{at.day}日",
    missing="缺失",
)
WORDS: Final[Mapping[str, Words]] = {"en": ENGLISH, "zh": CHINESE}


def note_words(stored: str | None, language: str, time_zone: str) -> str | None:
    """Return the sentences of stored notes, times by the clock of a time zone; `None` without notes."""
    words = WORDS[language]
    sentences = []
    for note in decode_notes(stored):
        match note:
            case DeferredNote():
                reason = words.reasons.get(note.why, note.why)
                if note.silence:
                    reason += words.silence.format(reason=note.silence)
                since = _instant(words, note.since, time_zone)
                sentences.append(words.deferred.format(since=since, why=reason))
            case FlappingNote():
                sentences.append(words.flapping.format(times=note.times, days=note.days))
            case _:
                sentences.append(note)
    return " ".join(" ".join(sentences).split()) or None


def _instant(words: Words, at: datetime, time_zone: str) -> str:
    return words.instant.format(at=at.astimezone(ZoneInfo(time_zone)), zone=time_zone)


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
        return _instant(words, at, time_zone)

    def number(value: Any) -> str:
        """Print a number with at most four digits that count."""
        if value is None:
            return words.missing
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    def reason(each: Mapping[str, Any]) -> str:
        """Print one of the model's reasons; in one line, whatever a worker wrote."""
        text = reason_text(each, language)
        return f"{each['feature']} = {number(each['value'])}" if text is None else text

    return {
        "reason": reason,
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
