"""Which products are held out: decided by a hash of their key, so that every catalog and every run agrees."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.types import Attributes

SEED = 20
SHARE = 0.1

_GROUP = "item_group_id"  # variants of one product share it, and must not lie on both sides


def is_held_out(key: str, *, seed: int, share: float) -> bool:
    """Whether a product is kept from training, to evaluate with.

    The same key gives the same answer for ever; a larger share holds out the same products and more.

    Args:
        key: What is split, as ``split_key`` gives it.
        seed: Chooses another split.
        share: About which part is held out, in [0, 1].
    """
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def split_key(product_id: str, attributes: Attributes, *, group_by: Sequence[str] = (_GROUP,)) -> str:
    """What stands for a product in the split: the group of its variants, or else its id; as in a training.

    Args:
        product_id: The product.
        attributes: What the catalog says of it.
        group_by: Attributes that name a group; the first one that the product has counts.
    """
    names = (name for name in group_by if attributes.get(name) not in {None, ""})
    name = next(names, None)
    return product_id if name is None else f"{name}={attributes[name]}"
