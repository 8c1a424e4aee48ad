"""The lines of bags, belts, watches, sunglasses, caps and scarves."""

from __future__ import annotations

from tools.demo_catalog.lines.line import BAGS, BOTH, DRESSY, HIDES, LEATHER, MEN, MUTED, UNISEX, WARM, WOMEN, Line

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
