"""Learning under treatment: whom a sample stands for, once the team acts.

Nobody knows what a treated customer would have done alone, so such a sample is left out. That would make the
population look better than it is: those who are treated are those who were about to leave. So held-out
customers, whose warnings nobody saw, stand for the treated ones of the same tier and verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.decision import Verdict
from streams.core.steps import Tier

HEAVIEST: Final = 10.0
"""For how many customers a sample stands at most."""
VERDICTS: Final = tuple(Verdict)
NO_WARNING: Final = 0
NO_VERDICT: Final = -1
_PLACES: Final[dict[Verdict | None, int]] = {
    None: NO_VERDICT,
    **{verdict: place for place, verdict in enumerate(VERDICTS)},
}


@dataclass(frozen=True, slots=True)
class WarningsThen:
    """The open warnings of `k` customers at their decision instant."""

    tier: NDArray[np.int8]
    """(k,) as at the newest step, `NO_WARNING` without an open warning."""
    verdict: NDArray[np.int8]
    """(k,) position in `VERDICTS` at the newest step, `NO_VERDICT` without a decision."""
    holdout: NDArray[np.bool_]
    """(k,) whether it is held out."""

    @classmethod
    def none(cls, k: int) -> WarningsThen:
        """Return those of `k` customers of whom none has an open warning."""
        tier, verdict = np.full(k, NO_WARNING, dtype=np.int8), np.full(k, NO_VERDICT, dtype=np.int8)
        return cls(tier, verdict, np.zeros(k, dtype=np.bool_))

    @classmethod
    def of(cls, warnings: Sequence[tuple[Tier, Verdict | None, bool] | None]) -> WarningsThen:
        """Return those of customers by tier, verdict and whether they are held out; `None` for no warning."""
        known = [(NO_WARNING, None, False) if warning is None else warning for warning in warnings]
        return cls(
            np.array([tier for tier, _, _ in known], dtype=np.int8),
            np.array([_PLACES[verdict] for _, verdict, _ in known], dtype=np.int8),
            np.array([holdout for _, _, holdout in known], dtype=np.bool_),
        )

    def weights(self, treated: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return for how many customers each stands, (k,), where `treated` (k,) are left out.

        It is 1 + treated / held out of the same tier and verdict, `HEAVIEST` at most, for those who are held
        out and were not treated, and 1 for all others.
        """
        weight = np.ones(len(treated))
        opened = self.tier != NO_WARNING
        stands = opened & self.holdout & ~treated
        if not stands.any() or not treated.any():
            return weight
        stratum = self.tier.astype(np.intp) * (len(VERDICTS) + 1) + self.verdict + 1
        size = int(stratum.max()) + 1
        left_out = np.bincount(stratum[opened & treated], minlength=size)
        standing = np.bincount(stratum[stands], minlength=size)
        of = stratum[stands]
        weight[stands] = np.minimum(1.0 + left_out[of] / standing[of], HEAVIEST)
        return weight
