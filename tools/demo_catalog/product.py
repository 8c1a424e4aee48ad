"""A product of the demo: what it looks like, and what its shop says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.demo_catalog.palette import Shade

    Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a product looks like, in any color.

    Attributes:
        article_type: As in Kaggle's "Fashion Product Images".
        gender: For whom it is cut.
        style: The form within its type, such as ``polo``; each type has its own.
        sleeve: Sleeve length, in apparel with sleeves.
        length: Length, in apparel that comes in several.
        neck: Neckline or collar.
        pattern: What the catalog calls the pattern.
        motif: How the pattern is drawn; empty for none.
        fabric: What it is made of, as ``fabric.FABRICS`` has it.
        seed: For proportions and folds.
    """

    article_type: str
    gender: str
    style: str
    sleeve: str = ""
    length: str = ""
    neck: str = ""
    pattern: str = "Solid"
    motif: str = ""
    fabric: str = "jersey"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProduct:
    """A product of the demo catalog.

    Attributes:
        id: Stable id, also the name of its photo.
        title: Name shown to a shopper.
        brand: An invented one.
        design: What it looks like, in any color.
        shade: The color that it is called by.
        accents: Two colors that its pattern or its trim adds.
        material: What its shop says it is made of.
        master_category: Apparel, Footwear or Accessories.
        season: When it is worn.
        usage: What it is worn for.
        price_cents: In US cents.
        item_group_id: The same for one design in several colors.
    """

    id: str
    title: str
    brand: str
    design: Design
    shade: Shade
    accents: tuple[Rgb, Rgb]
    material: str
    master_category: str
    season: str
    usage: str
    price_cents: int
    item_group_id: str

    @property
    def article_type(self) -> str:
        """The kind of article."""
        return self.design.article_type

    @property
    def color(self) -> str:
        """The color's name in the catalog."""
        return self.shade.color

    @property
    def image(self) -> str:
        """Its photo's path in the catalog's folder."""
        return f"images/{self.id}.webp"

    @property
    def attributes(self) -> dict[str, str]:
        """What its row in the table says, in order; empty where a column says nothing of it."""
        return {
            "id": self.id,
            "title": self.title,
            "brand": self.brand,
            "articleType": self.article_type,
            "masterCategory": self.master_category,
            "gender": self.design.gender,
            "color": self.color,
            "pattern": self.design.pattern,
            "material": self.material,
            "sleeve": self.design.sleeve,
            "length": self.design.length,
            "neckline": self.design.neck,
            "season": self.season,
            "usage": self.usage,
            "price": f"{self.price_cents / 100:.2f} USD",
            "item_group_id": self.item_group_id,
            "image": self.image,
        }
