from __future__ import annotations

import html as entities
import re

import pytest
from sqlalchemy import update

from consumers.database.database import Database
from consumers.database.warnings import WarningRow
from consumers.desk.people.person import Person, Role
from consumers.desk.queue.filter import QueueFilter
from consumers.drafts import Draft
from tests.consumers.desk.desks import Staff, browser, desk_over
from tests.consumers.desk.stored_shop import last_instant, lines, store_shop
from tests.consumers.stored import store_records
from tests.consumers.warning_events import attended_life, life, records, value, warning_id

OPERATOR = Person("you", Role.OPERATOR)
HOSTILE = (
    "a/b",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "../..",
    ".",
    "..",
    "a?b#c",
    "客户 7",
    "=1+1",
)


def test_the_page_has_all_that_is_known_of_a_customer(database: Database) -> None:
    store_records(database, records(attended_life("c1")))
    answer = browser(desk_over(database)).get("/customers/c1")
    assert answer.status_code == 200
    text = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
    for said in ("Leaves with a probability of 73% within 90 days", "Title of a", "message of a", "overdue"):
        assert said in entities.unescape(text), said


@pytest.mark.parametrize("customer", HOSTILE)
def test_an_id_is_any_text_and_never_markup(database: Database, customer: str) -> None:
    store_records(database, records([value(customer=customer)]))
    client = browser(desk_over(database))
    link = re.search(r'<h3><a href="([^"]+)"', client.get("/?show=unknown&show=unserved&show=today").text)
    assert link is not None
    answer = client.get(entities.unescape(link[1]))
    assert answer.status_code == 200
    news = re.search(r'data-news="([^"]+)"', answer.text)
    assert news is not None
    assert 'id="standing"' in client.get(entities.unescape(news[1])).text
    done = client.post(
        "/act",
        data={
            "kind": "acknowledge",
            "customer_id": customer,
            "warning_id": warning_id(customer),
            "back": entities.unescape(link[1]),
        },
        headers={"HX-Request": "true"},
    )
    assert 'id="customer"' in done.text
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert entities.escape(customer) in answer.text.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")
    found = client.get("/customers", params={"id": customer})
    assert found.status_code == 200
    assert re.findall("<h1.*</h1>", found.text) == re.findall("<h1.*</h1>", answer.text) != []


@pytest.mark.parametrize("customer", ["no-such", "", "c\0", "x" * 300, ".", ".."])
def test_who_is_not_there_is_a_page_that_says_so(database: Database, customer: str) -> None:
    client = browser(desk_over(database))
    answer = client.get("/customers", params={"id": customer})
    assert answer.status_code == (200 if not customer else 404)


def test_a_customer_in_the_holdout_is_there_for_operators_only(database: Database) -> None:
    store_records(database, records(life("held-one")[:1]))
    with database.writing() as connection:
        connection.execute(update(WarningRow).values(holdout=True))
    desk = desk_over(database, staff=Staff())
    assert "held out" in browser(desk, as_="olga").get("/customers/held-one").text
    answer = browser(desk, as_="ann").get("/customers/held-one")
    assert answer.status_code == 404
    assert "held-one" not in re.sub(r'value="[^"]*"', "", answer.text)


def test_next_and_previous_keep_the_filter_of_the_queue(database: Database) -> None:
    store_records(database, records([value(customer=f"c{n}") for n in range(3)]))
    desk = desk_over(database)
    desk.board.refresh()
    client = browser(desk)
    seen, address = [], "/customers/c0?tier=medium"
    for _ in range(3):
        text = client.get(address).text
        assert 'href="/?tier=medium"' in text
        seen.append(re.findall(r'rel="(prev|next)" href="/customers/(c\d)\?tier=medium"', text))
        following = dict(seen[-1]).get("next")
        if following is None:
            break
        address = f"/customers/{following}?tier=medium"
    order = [row.customer_id for row in desk.board.page(QueueFilter(), OPERATOR).rows]
    assert sorted(order) == ["c0", "c1", "c2"]
    at = order.index("c0")
    assert [dict(each) for each in seen] == [
        {rel: order[n + by] for rel, by in (("prev", -1), ("next", 1)) if 0 <= n + by < 3}
        for n in range(at, 3)
    ]


def test_a_permalink_has_the_configured_base(database: Database) -> None:
    store_records(database, records([value(customer="a/b")]))
    text = browser(desk_over(database, base_url="https://desk.example/shop/")).get("/customers/a%2Fb").text
    assert 'href="https://desk.example/shop/customers/a%2Fb"' in text


def test_what_is_on_its_way_is_shown_and_asked_for_again_until_it_has_arrived(database: Database) -> None:
    store_records(database, records([value(customer="c1")]))
    desk = desk_over(database)
    client = browser(desk)
    assert "data-pending" not in client.get("/customers/c1").text
    desk.actions.submit(Person("ann", Role.AGENT), [Draft("c1", "acknowledge", warning_id("c1"))])
    page, strip = client.get("/customers/c1").text, client.get("/standing/c1").text
    for text in (page, strip):
        assert "on its way" in text
        assert "acknowledged · ann" in text
        assert "data-pending" in text
    assert "<html" not in strip


def test_all_but_the_forms_is_renewed_while_somebody_looks(database: Database) -> None:
    store_records(database, records(attended_life("c1")))
    client = browser(desk_over(database))
    page, news = client.get("/customers/c1").text, client.get("/standing/c1").text
    parts = re.findall(r'<(?:div|section) id="([\w-]+-card|standing)"', news)
    assert {"standing", "why-card", "worth-card", "days-card", "life-card", "sent-card"} < set(parts)
    for part in parts:
        assert page.count(f'id="{part}"') == 1, part
    forms = re.findall(r"<form.*?</form>", news, re.DOTALL)
    assert all('name="corrects"' in form for form in forms)
    acting = re.search(r'<section class="card acting".*?</section>', page, re.DOTALL)
    assert acting is not None
    assert acting[0].count("<form") > 5


def test_every_customer_of_a_shop_has_a_page_in_both_languages(database: Database) -> None:
    store_shop(database)
    customers = sorted({line["subject"] for line in lines("churn-warnings")})
    desk = desk_over(database, last_instant())
    english, chinese = browser(desk), browser(desk, {"Accept-Language": "zh"})
    for customer in customers[::3]:
        assert english.get(f"/customers/{customer}").status_code == 200
        answer = chinese.get(f"/customers/{customer}", headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert "每日情况" in answer.text
        assert "<html" not in answer.text
