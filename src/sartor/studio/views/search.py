"""Search: photos or a product, beside the most similar products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from sartor.errors import SartorError
from sartor.studio.queries import queries, settings
from sartor.studio.session import backend, overview_of
from sartor.studio.tiles import hit_tiles, query_tile, show_summary

if TYPE_CHECKING:
    from sartor.studio.backend import SearchOptions
    from sartor.studio.queries import Query
    from sartor.studio.session import Backend


def page() -> None:
    """Show the page."""
    st.title("Search by photo", anchor=False)
    current = backend()
    options = settings(current, overview_of(current))
    entered = queries(current)
    if not entered:
        st.caption("Upload one or several photos: each is shown beside the products most similar to it.")
    for row, query in enumerate(entered):
        if row:
            st.divider()
        _answer(current, query, options, row=row)


def _answer(current: Backend, query: Query, options: SearchOptions, *, row: int) -> None:
    left, right = st.columns([1, 4.6], gap="medium")
    try:
        results = current.similar(query.photos, query.product, options)
    except SartorError as error:
        with left:
            query_tile(query, None, key=str(row))
        right.error(str(error), icon=":material/error:")
        return
    with left:
        query_tile(query, results.seen, key=str(row))
    with right:
        show_summary(results)
        hit_tiles(current, results, key=str(row))


page()
