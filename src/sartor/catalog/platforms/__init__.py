"""Readers of the exports of shop platforms: one module a family, one contract (``base``, ``objects``).

A new one is listed in ``recognized`` below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.catalog.columns import column_key
from sartor.catalog.platforms.base import Platform, PlatformTable
from sartor.catalog.platforms.bigcommerce import BigCommerceCsv
from sartor.catalog.platforms.magento import MagentoCsv
from sartor.catalog.platforms.merchant_api import MerchantApi
from sartor.catalog.platforms.objects import ObjectPlatform, ObjectTable
from sartor.catalog.platforms.schema_org import SchemaOrg
from sartor.catalog.platforms.shopify import ShopifyBulk, ShopifyCsv, ShopifyJson
from sartor.catalog.platforms.woocommerce import WooCommerceCsv, WooCommerceJson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

PLATFORMS: tuple[Platform, ...] = (ShopifyCsv(), WooCommerceCsv(), MagentoCsv(), BigCommerceCsv())
OBJECT_PLATFORMS: tuple[ObjectPlatform, ...] = (
    ShopifyBulk(),
    ShopifyJson(),
    WooCommerceJson(),
    MerchantApi(),
    SchemaOrg(),
)


def platform_of(columns: Iterable[str]) -> Platform | None:
    """The platform that exports a table with these columns."""
    keys = frozenset(map(column_key, columns))
    return next((platform for platform in PLATFORMS if platform.recognizes(keys)), None)


def object_platform_of(parsed: Mapping[str, Any]) -> ObjectPlatform | None:
    """The platform that exports such an object."""
    return next((platform for platform in OBJECT_PLATFORMS if platform.recognizes(parsed)), None)


__all__ = ["ObjectTable", "PlatformTable", "object_platform_of", "platform_of"]
