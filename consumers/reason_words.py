"""The model's reasons in the reader's language; on the wire they are in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CHINESE: Final[Mapping[str, str]] = {
    "orders_7d": "7 天内 {} 笔订单",
    "orders_30d": "30 天内 {} 笔订单",
    "orders_90d": "90 天内 {} 笔订单",
    "orders_prev_30d": "此前 30 天内 {} 笔订单",
    "orders_total": "累计 {} 笔订单",
    "logins_7d": "7 天内登录 {} 次",
    "logins_30d": "30 天内登录 {} 次",
    "logins_90d": "90 天内登录 {} 次",
    "logins_prev_30d": "此前 30 天内登录 {} 次",
    "logins_total": "累计登录 {} 次",
    "complaints_90d": "90 天内投诉 {} 次",
    "complaints_total": "累计投诉 {} 次",
    "open_complaints": "{} 项投诉未解决",
    "returns_90d": "90 天内退货 {} 次",
    "active_weeks_12": "最近 12 周中有 {} 周下单",
    "active_weeks_26": "最近 26 周中有 {} 周下单",
    "spend_30d": "30 天内消费 {:,.0f}",
    "spend_90d": "90 天内消费 {:,.0f}",
    "spend_prev_30d": "此前 30 天内消费 {:,.0f}",
    "spend_total": "累计消费 {:,.0f}",
    "tenure_days": "成为客户 {:.0f} 天",
    "days_since_order": "距上次下单 {:.0f} 天",
    "days_since_login": "距上次登录 {:.0f} 天",
    "days_since_complaint": "距上次投诉 {:.0f} 天",
    "order_gap_mean": "平均每 {:.0f} 天下单一次",
    "order_gap_std": "下单间隔的波动为 {:.0f} 天",
    "last_gap": "最近两次下单相隔 {:.0f} 天",
    "overdue": "沉默时间为平时间隔的 {:.1f} 倍",
    "order_trend": "订单数为此前 30 天的 {:.1f} 倍",
    "login_trend": "登录次数为此前 30 天的 {:.1f} 倍",
    "spend_trend": "消费额为此前 30 天的 {:.1f} 倍",
    "complaint_rate_90d": "每笔订单投诉 {:.2f} 次",
    "return_rate_90d": "每笔订单退货 {:.2f} 次",
    "handling_satisfaction_90d": "对投诉处理的满意度为 {:.1f}",
    "feedback_mean_90d": "问卷得分 {:.0%}",
    "days_to_contract_end": "距合同到期 {:.0f} 天",
    "customer_class": "客户类别：{}",
    "segment": "客户细分：{}",
    "region": "地区：{}",
    "origin": "来源：{}",
    "p_alive": "按以往节奏，仍活跃的概率为 {:.0%}",
    "p_silent": "按以往节奏，将保持沉默的概率为 {:.0%}",
}
"""A reason's text by its feature, with the place of the value."""
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {"zh": CHINESE}
"""By language; English stands in the reason itself."""


def reason_text(reason: Mapping[str, Any], language: str) -> str | None:
    """Return a reason in words; `None` where a worker of before gave none.

    A feature that is not known here, and a value that is none of its kind, are in English.

    >>> reason_text({"feature": "overdue", "value": 5.06, "text": "silent for 5.1 times the usual gap"}, "zh")
    '沉默时间为平时间隔的 5.1 倍'
    """
    text: str | None = reason.get("text") or None
    template = TEXTS.get(language, {}).get(str(reason.get("feature")))
    if text is None or template is None:
        return text
    try:
        return template.format(reason["value"])
    except (KeyError, ValueError, TypeError):
        return text
