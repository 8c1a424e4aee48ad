"""Products that simulated shoppers look at, as columns.

Shapes: s sessions of a block, c candidates of each, l looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.demo.shelves import Codes, Numbers

    Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Products looked at, ``(l,)`` each.

    Attributes:
        session: Row of the session in its block.
        product: Row in the catalog.
        worth: To the person, by taste alone.
        at_s: When, in seconds since the session began.
        answer: Number of the answer it was clicked in; 0 for none.
        position: Its place there from 1; 0 for none.
    """

    session: Codes
    product: Codes
    worth: Numbers
    at_s: Numbers
    answer: Codes
    position: Codes


def joined(one: Looks, other: Looks) -> Looks:
    """The looks of both."""
    return Looks(
        session=np.concatenate([one.session, other.session]),
        product=np.concatenate([one.product, other.product]),
        worth=np.concatenate([one.worth, other.worth]),
        at_s=np.concatenate([one.at_s, other.at_s]),
        answer=np.concatenate([one.answer, other.answer]),
        position=np.concatenate([one.position, other.position]),
    )


def first_of_each(products: Codes) -> Flags:
    """Whether each of ``(s, c)`` is the first of its kind in its row."""
    order = np.argsort(products, axis=1, kind="stable")
    ordered = np.take_along_axis(products, order, axis=1)
    first = np.ones(products.shape, np.bool_)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    found = np.empty_like(first)
    np.put_along_axis(found, order, first, axis=1)
    return found
