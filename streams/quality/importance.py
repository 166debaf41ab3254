"""What the model goes by: how much each group of inputs moves the log odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.features.catalogue import CATALOGUE
from streams.core.features.customers import ATTRIBUTES
from streams.core.model.logistic import Model
from streams.core.model.reasons import Group

STRONGEST: Final = 3
"""Inputs that are named of each group."""
_CHUNK: Final = 8192

TEXTS: Final = {
    Group.ACTIVITY: "how often and how lately a customer orders and logs in",
    Group.SPEND: "how much a customer spends",
    Group.RHYTHM: "how the silence compares with the customer's own rhythm",
    Group.SERVICE: "complaints, how they were handled, and survey answers",
    Group.RETURNS: "orders cancelled or returned",
    Group.CONTRACT: "how near the end of the contract is",
    Group.PROFILE: "what a customer is: class, segment, region or origin",
    Group.TENURE: "how long somebody has been a customer, and orders in all",
}


@dataclass(frozen=True, slots=True)
class InputImportance:
    """How much one input moves the log odds."""

    feature: str
    definition: str
    size: float
    """Mean size of its share."""
    rises: bool | None
    """Whether more of it raises the probability, by and large; `None` for a word, and where neither does."""

    def text(self) -> str:
        """Return it in words: what raises the probability."""
        if self.rises is None:
            return self.feature
        return f"{'more' if self.rises else 'less'} {self.feature}"


@dataclass(frozen=True, slots=True)
class GroupImportance:
    """How much a group of inputs moves the log odds away from the mean customer's."""

    group: Group
    text: str
    size: float
    """Mean size of the group's share."""
    part: float
    """Of the sizes of all groups."""
    inputs: tuple[InputImportance, ...]
    """The strongest ones."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "group": self.group.value,
            "text": self.text,
            "size": self.size,
            "part": self.part,
            "inputs": [
                {
                    "feature": each.feature,
                    "definition": each.definition,
                    "size": each.size,
                    "rises": each.rises,
                }
                for each in self.inputs
            ],
        }


def importance(
    models: Sequence[Model], x: NDArray[np.float32], partition: NDArray[np.int64]
) -> list[GroupImportance]:
    """Return all groups, the largest first, over (n, m) inputs, each by the model of its partition."""
    if not len(x) or not models:
        return []
    inputs = models[0].inputs
    groups = [group for group in Group if any(each.group is group for each in inputs)]
    of_group = np.array([[each.group is group for group in groups] for each in inputs], dtype=np.float64)
    # A word is several inputs.
    features = list(dict.fromkeys(each.feature for each in inputs))
    of_feature = np.array([[each.feature == name for name in features] for each in inputs], dtype=np.float64)
    group_size, size = np.zeros(len(groups)), np.zeros(len(features))
    # Of each input: known values, and the sums of value, share, their product and the value's square.
    sums = np.zeros((4, len(inputs)))
    for number, model in enumerate(models):
        own = np.flatnonzero(partition == number)
        for start in range(0, len(own), _CHUNK):
            rows = x[own[start : start + _CHUNK]].astype(np.float64)
            shares = model.contributions(rows)
            group_size += np.abs(shares @ of_group).sum(axis=0)
            size += np.abs(shares @ of_feature).sum(axis=0)
            known = np.isfinite(rows)
            value, share = np.where(known, rows, 0.0), np.where(known, shares, 0.0)
            sums += known.sum(axis=0), value.sum(axis=0), share.sum(axis=0), (value * share).sum(axis=0)
    count, value_sum, share_sum, product = sums
    slope = of_feature.T @ (product - value_sum * share_sum / np.maximum(count, 1))
    found = []
    for place, group in enumerate(groups):
        own = np.flatnonzero(of_feature.T @ of_group[:, place])
        strongest = own[np.argsort(-size[own], kind="stable")][:STRONGEST]
        found.append(
            GroupImportance(
                group,
                TEXTS[group],
                float(group_size[place]) / len(x),
                float(group_size[place] / group_size.sum()) if group_size.any() else 0.0,
                tuple(
                    InputImportance(
                        features[i],
                        CATALOGUE[features[i]].definition,
                        float(size[i]) / len(x),
                        None if features[i] in ATTRIBUTES or size[i] == 0 else bool(slope[i] > 0),
                    )
                    for i in strongest.tolist()
                ),
            )
        )
    return sorted(found, key=lambda each: -each.size)
