"""A state and a broker that do not fit together are an error that says so, with the way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streams.checkpoints.restore import StateRestorer, check_all_partitions
from streams.checkpoints.store import CheckpointStore
from streams.errors import StateError
from streams.intake.poll import TopicPartition
from tests.streams.worker.test_assignment import ORDERS, SETTINGS, Shop, Worker


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def saved(shop: Shop, *ends: int) -> Worker:
    """Return a worker that was saved at each of these offsets."""
    worker = await shop.worker()
    for end in ends:
        await worker.read(end)
        await worker.pipeline.save()
    return worker


async def test_offsets_that_the_group_has_forgotten_are_an_error(shop: Shop) -> None:
    await saved(shop, 3)
    shop.group.offsets = {}
    with pytest.raises(StateError, match=r"no offsets of partition 0, .* expired or were deleted") as error:
        await shop.worker()
    assert "--from-checkpoints" in str(error.value)
    assert "--rebuild" in str(error.value)


async def test_a_state_goes_on_from_its_checkpoint_without_the_group_where_that_is_asked_for(
    shop: Shop,
) -> None:
    await saved(shop, 3, 5)
    shop.group.offsets = {}
    shop.settings = replace(SETTINGS, from_checkpoints=True)
    worker = await shop.worker()
    assert worker.position == 5
    await worker.read(6)
    await worker.pipeline.save()
    assert shop.group.offsets == {ORDERS: 6}


async def test_a_first_checkpoint_that_was_never_committed_is_no_state(shop: Shop) -> None:
    worker = await saved(shop, 3)
    (folder,) = Path(shop.folder, "lapwing", "00000").iterdir()
    (folder / "committed").unlink()  # as if the worker had died before the commit
    shop.group.offsets = {}
    assert (await shop.worker()).position == 0
    assert worker.position == 3


async def test_offsets_that_were_set_back_are_an_error(shop: Shop) -> None:
    await saved(shop, 3, 5)
    shop.group.offsets = {ORDERS: 1}
    with pytest.raises(StateError, match=r"set back after .* \(orders/0 from 5 to 1\).*--rebuild"):
        await shop.worker()


async def test_a_topic_of_which_the_group_has_lost_the_offset_was_made_anew(shop: Shop) -> None:
    worker = await saved(shop, 3)
    shop.group.offsets = {TopicPartition("logins", 0): 4}
    topics = ("orders", "logins")
    restorer = StateRestorer(
        worker.services.store, topics, worker.engine, shop.group, shop.warned, shop.refused
    )
    committed = await restorer.committed([0])
    with pytest.raises(StateError, match=r"no offset of orders/0, .* made anew.*lapwing worker --rebuild"):
        await restorer.load(committed)


async def test_a_state_made_with_another_number_of_partitions_is_an_error(shop: Shop) -> None:
    shop.settings = replace(SETTINGS, partitions=1)
    await saved(shop, 3)
    store = CheckpointStore(str(shop.folder), "lapwing")
    check_all_partitions(store, 1, {})
    with pytest.raises(StateError, match=r"had 1 partitions, and they have 3: customers have moved"):
        check_all_partitions(store, 3, {})
    shop.settings = replace(SETTINGS, partitions=3)
    with pytest.raises(StateError, match=r"had 1 partitions, and they have 3.*lapwing worker --rebuild"):
        await shop.worker()


async def test_a_state_of_a_topic_that_was_made_anew_is_an_error(shop: Shop) -> None:
    """Although the offset that it goes on from is one of the new topic's, too."""
    shop.settings = replace(SETTINGS, topic_ids={"orders": "first"})
    await saved(shop, 3)
    store = CheckpointStore(str(shop.folder), "lapwing")
    check_all_partitions(store, 1, {"orders": "first", "logins": "other"})
    with pytest.raises(StateError, match=r"orders: deleted and made anew since .*lapwing worker --rebuild"):
        check_all_partitions(store, 1, {"orders": "second"})
    shop.settings = replace(SETTINGS, topic_ids={"orders": "second"})
    with pytest.raises(StateError, match=r"orders: deleted and made anew since"):
        await shop.worker()
    for ids in ({}, {"orders": "first"}):  # an older broker does not know
        shop.settings = replace(SETTINGS, topic_ids=ids)
        assert (await shop.worker()).position == 3


async def test_a_checkpoint_that_does_not_know_the_number_of_partitions_goes_on(shop: Shop) -> None:
    await saved(shop, 3)
    shop.settings = replace(SETTINGS, partitions=3)
    worker = await shop.worker()
    assert worker.position == 3
    await worker.read(5)
    await worker.pipeline.save()
    newest = CheckpointStore(str(shop.folder), "lapwing").whole(0)[-1]
    assert newest.content.partitions == 3
