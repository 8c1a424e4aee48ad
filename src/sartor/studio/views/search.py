"""Search: photos or a product beside what is most similar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from sartor.errors import SartorError
from sartor.studio.queries import queries, settings
from sartor.studio.session import engine, filled
from sartor.studio.tiles import hit_tiles, query_tile, tell

if TYPE_CHECKING:
    from sartor.studio.engine import Engine, How
    from sartor.studio.queries import Query


def page() -> None:
    """Draw the page."""
    st.title("Search by photo", anchor=False)
    asked = engine()
    how = settings(asked, filled(asked))
    given = queries(asked)
    if not given:
        st.caption("Upload one or several photos: each is shown beside the products most similar to it.")
    for row, query in enumerate(given):
        if row:
            st.divider()
        _answer(asked, query, how, row=row)


def _answer(asked: Engine, query: Query, how: How, *, row: int) -> None:
    left, right = st.columns([1, 4.6], gap="medium")
    try:
        found = asked.similar(query.photos, query.product, how)
    except SartorError as error:
        with left:
            query_tile(query, None, key=str(row))
        right.error(str(error), icon=":material/error:")
        return
    with left:
        query_tile(query, found.seen, key=str(row))
    with right:
        tell(found)
        hit_tiles(asked, found, key=str(row))


page()
