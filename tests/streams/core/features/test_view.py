import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.features.customers import Customers, DayLog
from streams.core.features.view import Pass

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(-50, 50)), min_size=1, max_size=60)


def a_pass(pairs: list[tuple[int, int]]) -> tuple[Pass, list[tuple[int, int]]]:
    pairs = sorted(pairs, key=lambda p: p[0])
    customers = Customers()
    names = np.array([str(n) for n in range(5)], dtype=np.object_)
    customers.index(names)
    customers.begin(100)
    at = np.zeros(len(pairs), dtype=np.int64)
    return Pass(customers, np.array([c for c, _ in pairs], dtype=np.int32), at, at, None), pairs


@given(rows)
def test_running_values_are_those_of_a_loop(pairs: list[tuple[int, int]]) -> None:
    view, pairs = a_pass(pairs)
    values = np.array([v for _, v in pairs], dtype=np.int64)
    sums, highs = [], []
    for i, (customer, _) in enumerate(pairs):
        own = [v for c, v in pairs[: i + 1] if c == customer]
        sums.append(sum(own))
        highs.append(max(own))
    assert view.running_sum(values).tolist() == sums
    assert view.running_max(values).tolist() == highs


@given(rows)
def test_what_holds_after_the_last_row_becomes_the_state(pairs: list[tuple[int, int]]) -> None:
    view, pairs = a_pass(pairs)
    amounts = np.array([v for _, v in pairs], dtype=np.int64)
    view.add("spend", amounts)
    view.raise_to("last_order", amounts > 0, amounts)
    view.replace("contract_ends_at", amounts % 2 == 0, amounts)
    after = {
        name: view.column(name) for name in ("spend_7d", "spend_total", "last_order", "contract_ends_at")
    }
    view.commit()
    for name, column in after.items():
        last = {customer: value for (customer, _), value in zip(pairs, column.tolist(), strict=True)}
        assert {c: int(view.customers.state[name][c]) for c in last} == last
    assert not view.customers.state["spend_prev_30d"].any()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 9)), max_size=30),
    st.integers(0, 5),
)
def test_a_day_log_sums_by_customer(added: list[tuple[int, int, int]], cut: int) -> None:
    log = DayLog()
    for n, (day, customer, amount) in enumerate(added):
        log.add(day, np.array([customer, customer], dtype=np.int32), np.array([amount, 1]))
        if n == cut:
            log.cells(day)
    for day in range(4):
        expected: dict[int, int] = {}
        for d, customer, amount in added:
            if d == day:
                expected[customer] = expected.get(customer, 0) + amount + 1
        cells = log.cells(day)
        found = {} if cells is None else dict(zip(cells[0].tolist(), cells[1].tolist(), strict=True))
        assert found == expected
        assert all(log.has(day, c) == (c in expected) for c in range(4))
    log.drop_before(2)
    assert [day for day, _, _ in log.items()] == sorted({d for d, _, _ in added if d >= 2})
