import hashlib

import numpy as np

from streams.core.erasures import ErasedCustomers, Erasure, ErasureKey
from streams.core.events.batch import Batch
from streams.core.features.customers import Customers

KEY = ErasureKey(b"secret")


def events(*named: tuple[str, int]) -> Batch:
    return Batch.of(
        [{"customer_id": name, "at": at, "event_id": f"e{i}"} for i, (name, at) in enumerate(named)]
    )


def test_a_hash_is_keyed_and_a_key_shows_nothing_of_itself() -> None:
    expected = hashlib.blake2b("ä3".encode(), key=b"secret", digest_size=32).hexdigest()
    assert KEY.hash("ä3") == expected
    assert ErasureKey(b"s" * 65).hash("a") != ErasureKey(b"s" * 64).hash("a")
    assert KEY.hash("ä3") != ErasureKey(b"other").hash("ä3")
    assert KEY.id != ErasureKey(b"other").id
    assert len(KEY.id) == 16
    assert "secret" not in repr(KEY)


def test_events_up_to_the_erasure_do_not_count_and_later_ones_do() -> None:
    customers, erased = Customers(), ErasedCustomers(KEY)
    assert erased.among(events(("a", 1)), customers) is None
    erased.adopt([Erasure(KEY.hash("a"), 10)])
    erased.carried_out(9)
    batch = events(("a", 10), ("b", 1), ("a", 11))
    gone = erased.among(batch, customers)
    assert gone is not None
    assert gone.tolist() == [True, False, False]
    assert customers.known == 0  # whoever is asked for is not known by that
    customers.index(batch.customer_id[~gone])
    erased.note_returned(customers)
    # An id that is known again is looked up by its row: no hash is computed.
    erased.key = None
    again = erased.among(events(("a", 10), ("a", 12), ("b", 1)), customers)
    assert again is not None
    assert again.tolist() == [True, False, False]
    assert erased.state()[1] == [(customers.ids.index("a"), 10)]


def test_an_erasure_is_lacking_until_it_is_adopted_and_again_with_a_later_time() -> None:
    erased, first = ErasedCustomers(KEY), Erasure(KEY.hash("a"), 10)
    assert erased.lacking([first]) == [first]
    erased.adopt([first])
    assert erased.pending == [first]
    assert erased.find(["b", "a"]).tolist() == [1]
    erased.carried_out(7)
    assert erased.all == [Erasure(first.hash, 10, cleared_at=7)]
    assert not erased.pending
    assert not np.any(erased.find(["b", "a"]))
    assert not erased.lacking([first, Erasure(first.hash, 9)])
    later = Erasure(first.hash, 11)
    assert erased.lacking([later]) == [later]
    erased.adopt([later])
    assert erased.pending == [later]


def test_a_customer_who_came_back_can_be_erased_again() -> None:
    customers, erased = Customers(), ErasedCustomers(KEY)
    erased.restore([Erasure(KEY.hash("a"), 10, 9)], {0: 10})
    customers.index(np.array(["a"], dtype=np.object_))
    erased.adopt([Erasure(KEY.hash("a"), 20)])
    assert erased.find(customers.ids).tolist() == [0]
