"""What the reasons that come with Lapwing are called, so that they can be translated.

A reasons.yaml of the business has its own titles; one that reads like one of these is translated too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers.language import _

SHIPPED: Final[Mapping[str, str]] = {
    "behaviour": _("What the customer does, the cause not known yet"),
    "activity_decline": _("Orders or visits become fewer"),
    "spend_decline": _("Orders become smaller"),
    "silence": _("Nothing comes any more"),
    "no_second_order": _("It stayed with the first order"),
    "model": _("The model's forecast"),
    "product_service": _("Product and service"),
    "product": _("The product disappoints"),
    "quality": _("The quality became worse"),
    "returns": _("Orders are sent back"),
    "delivery": _("Delivery is late or wrong"),
    "service": _("The service disappoints"),
    "service_attitude": _("Unfriendly service"),
    "service_efficiency": _("Slow service"),
    "service_content": _("The service lacks what is needed"),
    "service_follow_up": _("Nobody followed up"),
    "complaints": _("Complaints"),
    "complaint_silence": _("Silence after a complaint"),
    "complaint_handling": _("Complaints are handled badly"),
    "broken_promise": _("A promise was not kept"),
    "no_innovation": _("Nothing new is offered"),
    "price": _("Price"),
    "price_too_high": _("Too high"),
    "pricing_strategy": _("The kind of pricing"),
    "price_volatility": _("Prices change too often"),
    "channel": _("Channel"),
    "channel_blocked": _("The channel does not work"),
    "channel_conflict": _("Channels contradict each other"),
    "channel_coverage": _("No channel where the customer is"),
    "competitor": _("A competitor"),
    "competitor_price": _("A lower price"),
    "competitor_product": _("A better product"),
    "competitor_service": _("Better service"),
    "staff_turnover": _("The contact person left and took the customer along"),
    "customer_change": _("The customer's own change"),
    "moved_away": _("Moved away"),
    "business_closed": _("Closed the business"),
    "need_ended": _("Needs it no more"),
    "need_changed": _("Needs something else"),
    "budget": _("Has less to spend"),
    "contract_end": _("The contract ends"),
    "season": _("Buys in season only"),
    "conduct": _("How the business behaved"),
    "management": _("Management"),
    "marketing": _("Marketing"),
    "pressure": _("The customer felt bullied"),
    "integrity": _("The customer felt deceived"),
    "surroundings": _("What nobody here can change"),
    "economy": _("The economy"),
    "market": _("The market swings"),
    "regulation": _("Law and regulation"),
    "political": _("Politics"),
    "other": _("Something else"),
    "other_reason": _("Not in this list"),
}
