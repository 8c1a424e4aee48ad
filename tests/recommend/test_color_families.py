from __future__ import annotations

import pytest

from sartor.recommend.features import color_family


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Navy Blue", "blue"),
        ("Turquoise Blue", "blue"),
        ("Grey Melange", "gray"),
        ("Mushroom Brown", "brown"),
        ("Off White", "white"),
        ("charcoal", "black"),
        ("Multi", "multi"),
        ("", ""),
    ],
)
def test_the_last_word_that_is_a_color_tells_the_family(name: str, family: str) -> None:
    assert color_family(name) == family
