"""Products and queries as tiles: a photo with a few lines below it."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from sartor.studio.queries import ask_with, is_developer
from sartor.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.recommend.explain import QueryAttributes
    from sartor.recommend.similar import Recommendation
    from sartor.studio.queries import Query
    from sartor.studio.session import Backend
    from sartor.types import Hit

_PICTURE_PX = 320


def query_tile(query: Query, seen: QueryAttributes | None, *, key: str) -> None:
    """A query, and what the model sees in it."""
    lines = [f'<span class="sartor-title">{escape(query.name)}</span>']
    if seen is not None and (words := _seen_words(seen)):
        lines.append(f'<span class="sartor-quiet">{escape(words)}</span>')
    first, *more = query.pictures or (None,)
    with st.container(key=f"tiles-query-{key}"):
        st.html(_tile(first, "".join(lines), kind="sartor-query", alt=query.name))
        for picture in more:
            st.html(_tile(picture, "", kind="sartor-query", alt=query.name))


def hit_tiles(backend: Backend, results: Recommendation, *, key: str, marked: Collection[str] = ()) -> None:
    """Results in order; marked ones are in the other list, too."""
    with st.container(key=f"tiles-{key}"):
        for hit in results:
            with st.container(gap="xsmall"):
                picture = picture_of(backend, backend.location, hit.photo.sha256)
                mark = "in both" if hit.product_id in marked else ""
                st.html(_tile(picture, _caption(hit, figures=is_developer()), alt=hit.title, mark=mark))
                st.button(
                    "More like this",
                    key=f"more-{key}-{hit.product_id}",
                    type="tertiary",
                    on_click=ask_with,
                    args=(hit.product_id,),
                )


def product_tile(backend: Backend, sha256: str, *, title: str, lines: Collection[str]) -> None:
    """A product of the catalog."""
    caption = f'<span class="sartor-title">{escape(title)}</span>' + "".join(
        f'<span class="sartor-quiet">{escape(line)}</span>' for line in lines
    )
    st.html(_tile(picture_of(backend, backend.location, sha256), caption, alt=title))


def show_summary(results: Recommendation) -> None:
    """Say so if nothing passes the filters, or if nothing is close."""
    if not results:
        st.info("No product passes the filters.", icon=":material/filter_alt_off:")
    elif results.verdict is Verdict.NOTHING_CLOSE:
        st.info("Nothing here is really close. These come nearest.", icon=":material/search_off:")
    elif results.verdict is Verdict.NOT_SURE:
        st.info(
            "I am not sure what this is: it looks like nothing that the model knows. These come nearest.",
            icon=":material/help:",
        )


@st.cache_data(max_entries=4000, show_spinner=False)
def picture_of(_backend: Backend, location: str, sha256: str) -> tuple[bytes, str] | None:  # noqa: ARG001 - a key
    """A small photo of the catalog. It is cached, since the photo of a SHA-256 never changes."""
    return _backend.picture(sha256, max_px=_PICTURE_PX)


def _caption(hit: Hit, *, figures: bool) -> str:
    match = "" if hit.match is None else f" · {hit.match:.0%} match"
    likeness = (
        "" if hit.likeness is None else f'<span class="sartor-figures">{str(hit.likeness).capitalize()}</span>'
    )
    numbers = f'<span class="sartor-figures">score {hit.score:.3f}{match}</span>' if figures else ""
    variants = f" · {len(hit.variants)} variant{'s' * (len(hit.variants) > 1)}" if hit.variants else ""
    seen = '<span class="sartor-quiet">predicted from the photo</span>' if hit.title_predicted else ""
    return (
        f'<span class="sartor-title">{escape(hit.title or hit.product_id)}</span>{seen}'
        f"{likeness}{numbers}"
        f'<span class="sartor-quiet">{escape(hit.product_id)}{variants}</span>'
        f'<span class="sartor-quiet">{escape(" · ".join(hit.reasons))}</span>'
    )


def _seen_words(seen: QueryAttributes) -> str:
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
