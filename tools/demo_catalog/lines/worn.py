"""Caps, scarves and belts."""

from __future__ import annotations

from tools.demo_catalog.lines.line import BAGS, DRESSY, HIDES, LEATHER, MEN, MUTED, UNISEX, WARM, WOMEN, Line

WORN: tuple[Line, ...] = (
    Line(
        article_type="Caps",
        noun="Baseball Cap",
        style="classic",
        genders=("Men", "Unisex", "Women", "Boys"),
        cloths=(("twill", "Cotton Twill"), ("corduroy", "Corduroy")),
        colors=BAGS,
        price=(18, 35),
        usages=("Casual", "Sports"),
    ),
    Line(
        article_type="Caps",
        noun="Two-Tone Cap",
        style="two-tone",
        genders=("Men", "Unisex", "Boys"),
        cloths=(("twill", "Cotton Twill"),),
        colors=("Beige", "White", "Grey", "Green", "Navy Blue"),
        price=(18, 35),
        usages=("Casual", "Sports"),
    ),
    Line(
        article_type="Caps",
        noun="Beanie",
        style="beanie",
        genders=UNISEX,
        cloths=(("knit", "Wool"), ("fine knit", "Merino")),
        colors=MUTED,
        price=(19, 45),
        seasons=("Winter",),
    ),
    Line(
        article_type="Caps",
        noun="Bucket Hat",
        style="bucket",
        genders=UNISEX,
        cloths=(("canvas", "Canvas"), ("linen", "Linen")),
        colors=BAGS,
        price=(22, 45),
        motifs=("", "", "gingham", "leaves"),
        seasons=("Summer",),
    ),
    Line(
        article_type="Scarves",
        noun="Scarf",
        style="wool",
        genders=("Unisex", "Men", "Women"),
        cloths=(("wool", "Wool"), ("wool", "Cashmere")),
        colors=MUTED,
        price=(39, 119),
        motifs=("", "tartan", "tartan", "wide stripes", "houndstooth"),
        seasons=("Winter", "Fall"),
    ),
    Line(
        article_type="Scarves",
        noun="Silk Scarf",
        style="silk",
        genders=WOMEN,
        cloths=(("satin", "Silk"),),
        colors=DRESSY,
        price=(35, 95),
        motifs=("flowers", "polka dots", "leaves", "diagonal stripes", "brush marks"),
        usages=("Casual", "Formal", "Party"),
        seasons=WARM,
    ),
    *(
        Line(
            article_type="Belts",
            noun=noun,
            style=style,
            genders=genders,
            cloths=(*LEATHER, ("suede", "Suede")),
            colors=HIDES,
            price=(25, 75),
            usages=usages,
        )
        for noun, style, genders, usages in (
            ("Belt", "frame", ("Men", "Men", "Women"), ("Casual", "Formal")),
            ("Round-Buckle Belt", "round", WOMEN, ("Casual", "Party")),
            ("Plate-Buckle Belt", "plate", MEN, ("Formal",)),
        )
    ),
)
