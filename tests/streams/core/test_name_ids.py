from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from streams.core.name_ids import name_id


@given(st.uuids(), st.text())
def test_a_name_id_is_the_name_based_uuid(namespace: UUID, name: str) -> None:
    text = name.encode("utf-8", "replace").decode()
    assert name_id(namespace, text) == str(uuid5(namespace, text))
