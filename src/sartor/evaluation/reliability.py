"""Whether probabilities keep their word: how often what is said to be 80 % sure is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Answers that were said to be about equally probable.

    Attributes:
        said: Their mean probability, from 0 to 1.
        right: The share of them that is right.
        count: Their number, at least 1.
    """

    said: float
    right: float
    count: int


def reliability(said: Values, right: Values) -> tuple[ReliabilityBin, ...]:
    """The bins of a reliability diagram, ten of equal width, the empty ones left out.

    Args:
        said: Probabilities, ``(n,)``.
        right: 1 for what is right and 0 for what is not, ``(n,)``.
    """
    places = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return tuple(
        ReliabilityBin(
            said=float(said[places == place].mean()),
            right=float(right[places == place].mean()),
            count=int((places == place).sum()),
        )
        for place in np.unique(places)
    )


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean difference of what is said and what is right, from 0, over all answers.

    Source: the expected calibration error of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.said - each.right) for each in bins) / max(total, 1)
