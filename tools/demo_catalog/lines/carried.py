"""Bags, backpacks, watches and sunglasses."""

from __future__ import annotations

from tools.demo_catalog.lines.line import BAGS, BOTH, LEATHER, WARM, WOMEN, Line

_FRAMES = ("Black", "Brown", "Maroon", "Green", "Navy Blue", "Beige", "Tan")

CARRIED: tuple[Line, ...] = (
    *(
        Line(
            article_type="Handbags",
            noun=noun,
            style=style,
            genders=WOMEN,
            cloths=cloths,
            colors=BAGS,
            price=price,
            usages=usages,
        )
        for noun, style, cloths, price, usages in (
            ("Tote", "tote", (*LEATHER, ("canvas", "Canvas")), (79, 229), ("Casual", "Formal")),
            ("Top-Handle Bag", "satchel", LEATHER, (99, 289), ("Formal", "Party")),
            ("Crossbody Bag", "crossbody", (*LEATHER, ("suede", "Suede")), (59, 169), ("Casual", "Party")),
            ("Bucket Bag", "bucket", (*LEATHER, ("suede", "Suede")), (69, 189), ("Casual",)),
            ("Shoulder Bag", "hobo", (*LEATHER, ("suede", "Suede")), (79, 209), ("Casual", "Party")),
        )
    ),
    *(
        Line(
            article_type="Backpacks",
            noun=noun,
            style=style,
            genders=genders,
            cloths=cloths,
            colors=("Black", "Navy Blue", "Olive", "Grey", "Mustard", "Maroon", "Teal", "Beige", "Red", "Green"),
            price=price,
            usages=usages,
        )
        for noun, style, genders, cloths, price, usages in (
            (
                "Daypack",
                "daypack",
                ("Unisex", "Men", "Women", "Boys"),
                (("nylon", "Recycled Nylon"), ("canvas", "Canvas")),
                (39, 89),
                ("Casual", "Sports"),
            ),
            (
                "Roll-Top Backpack",
                "roll-top",
                ("Unisex", "Men"),
                (("canvas", "Waxed Canvas"), ("nylon", "Nylon")),
                (59, 129),
                ("Casual",),
            ),
            ("Flap Backpack", "flap", ("Unisex", "Men", "Women"), (("canvas", "Canvas"),), (55, 119), ("Casual",)),
        )
    ),
    *(
        Line(
            article_type="Watches",
            noun=noun,
            style=style,
            genders=BOTH,
            cloths=cloths,
            colors=colors,
            price=price,
            usages=usages,
        )
        for noun, style, cloths, colors, price, usages in (
            (
                "Watch",
                "classic",
                LEATHER,
                ("Black", "Brown", "Tan", "Maroon", "Navy Blue", "Beige"),
                (89, 249),
                ("Formal", "Casual"),
            ),
            (
                "Bracelet Watch",
                "classic",
                (("metal", "Steel"),),
                ("Silver", "Gold"),
                (119, 349),
                ("Formal", "Party"),
            ),
            (
                "Chronograph",
                "chronograph",
                (("metal", "Steel"),),
                ("Silver", "Gold", "Black"),
                (149, 399),
                ("Formal", "Casual"),
            ),
            (
                "Sport Chronograph",
                "chronograph",
                (("rubber", "Rubber"),),
                ("Black", "Blue", "Red", "Green", "Orange", "White"),
                (99, 249),
                ("Sports", "Casual"),
            ),
            (
                "Square Watch",
                "square",
                LEATHER,
                ("Black", "Brown", "Tan", "Red", "Green", "Pink"),
                (79, 219),
                ("Casual", "Party"),
            ),
        )
    ),
    *(
        Line(
            article_type="Sunglasses",
            noun=noun,
            style=style,
            genders=genders,
            cloths=cloths,
            colors=colors,
            price=(39, 149),
            seasons=WARM,
            usages=usages,
        )
        for noun, style, genders, cloths, colors, usages in (
            ("Sunglasses", "wayfarer", ("Unisex", "Men", "Women"), (("patent", "Acetate"),), _FRAMES, ("Casual",)),
            (
                "Aviators",
                "aviator",
                ("Unisex", "Men"),
                (("metal", "Metal"),),
                ("Gold", "Silver", "Black"),
                ("Casual", "Party"),
            ),
            (
                "Cat-Eye Sunglasses",
                "cat-eye",
                WOMEN,
                (("patent", "Acetate"),),
                (*_FRAMES, "Red", "Pink"),
                ("Casual", "Party"),
            ),
            (
                "Round Sunglasses",
                "round",
                ("Unisex", "Women"),
                (("metal", "Metal"),),
                ("Gold", "Silver", "Black"),
                ("Casual",),
            ),
            ("Square Sunglasses", "square", BOTH, (("patent", "Acetate"),), _FRAMES, ("Casual", "Formal")),
        )
    ),
)
