"""Products and queries as tiles: a photo, and a few lines below it."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from sartor.studio.asking import ask_with

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.recommend.reasons import Seen
    from sartor.recommend.similar import Recommendation
    from sartor.studio.asking import Query
    from sartor.studio.engine import Engine
    from sartor.types import Hit

_PICTURE_PX = 320


def query_tile(query: Query, seen: Seen | None, *, key: str) -> None:
    """What was asked with, and what the model sees in it."""
    lines = [f'<span class="sartor-title">{escape(query.name)}</span>']
    if seen is not None and (words := _seen_words(seen)):
        lines.append(f'<span class="sartor-quiet">{escape(words)}</span>')
    first, *more = query.pictures or (None,)
    with st.container(key=f"tiles-query-{key}"):
        st.html(_tile(first, "".join(lines), kind="sartor-query", alt=query.name))
        for picture in more:
            st.html(_tile(picture, "", kind="sartor-query", alt=query.name))


def hit_tiles(engine: Engine, found: Recommendation, *, key: str, marked: Collection[str] = ()) -> None:
    """Hits in order; those that are marked are in another list too."""
    with st.container(key=f"tiles-{key}"):
        for hit in found:
            with st.container(gap="xsmall"):
                picture = picture_of(engine, engine.place, hit.photo.sha256)
                mark = "in both" if hit.product_id in marked else "weak" if hit.weak else ""
                st.html(
                    _tile(picture, _caption(hit), kind="sartor-weak" if hit.weak else "", alt=hit.title, mark=mark)
                )
                st.button(
                    "More like this",
                    key=f"more-{key}-{hit.product_id}",
                    type="tertiary",
                    on_click=ask_with,
                    args=(hit.product_id,),
                )


def product_tile(engine: Engine, sha256: str, *, title: str, lines: Collection[str]) -> None:
    """A product of the catalog."""
    caption = f'<span class="sartor-title">{escape(title)}</span>' + "".join(
        f'<span class="sartor-quiet">{escape(line)}</span>' for line in lines
    )
    st.html(_tile(picture_of(engine, engine.place, sha256), caption, alt=title))


def tell(found: Recommendation) -> None:
    """Say plainly when nothing fits."""
    if not found:
        st.info("No product passes the filters.", icon=":material/filter_alt_off:")
    elif not found.good:
        st.warning(
            "No good match. The nearest products are shown; all of them are weak.", icon=":material/search_off:"
        )


@st.cache_data(max_entries=4000, show_spinner=False)
def picture_of(_engine: Engine, place: str, sha256: str) -> tuple[bytes, str] | None:  # noqa: ARG001 - a key
    """A small photo of the catalog; what has a SHA-256 never changes, so it is kept."""
    return _engine.picture(sha256, max_px=_PICTURE_PX)


def _caption(hit: Hit) -> str:
    match = "" if hit.match is None else f" · {hit.match:.0%} match"
    variants = f" · {len(hit.variants)} variant{'s' * (len(hit.variants) > 1)}" if hit.variants else ""
    return (
        f'<span class="sartor-title">{escape(hit.title or hit.product_id)}</span>'
        f'<span class="sartor-figures">{hit.score:.3f}{match}</span>'
        f'<span class="sartor-quiet">{escape(hit.product_id)}{variants}</span>'
        f'<span class="sartor-quiet">{escape(" · ".join(hit.reasons))}</span>'
    )


def _seen_words(seen: Seen) -> str:
    if seen.known:
        return ""
    guesses = [f"{value} {probability:.0%}" for value, probability in seen.predicted.values()]
    return ", ".join([*guesses, *seen.colors])


def _tile(picture: tuple[bytes, str] | None, caption: str, *, alt: str, kind: str = "", mark: str = "") -> str:
    image = ""
    if picture is not None:
        data, media_type = picture
        source = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
        image = f'<img src="{source}" alt="{escape(alt)}">'
    badge = f'<span class="sartor-mark">{escape(mark)}</span>' if mark else ""
    return (
        f'<figure class="sartor-tile {kind}"><div class="sartor-frame">{image}{badge}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
