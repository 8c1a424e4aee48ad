"""Which products are held out: decided by a hash of their key, so that every catalog and every run agrees."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def split_key(product_id: str, attributes: Attributes) -> str:
    """What stands for a product in the split: the group of its variants, or else its id; as in a training."""
    group = attributes.get(_GROUP)
    return product_id if group in {None, ""} else f"{_GROUP}={group}"
