"""Compare: two models side by side on the same query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from sartor.studio.queries import queries, settings
from sartor.studio.session import filled, local_engine
from sartor.studio.tiles import hit_tiles, query_tile, tell

if TYPE_CHECKING:
    from sartor.recommend.similar import Recommendation
    from sartor.studio.engine import ModelState, Overview


def page() -> None:
    """Draw the page."""
    st.title("Compare two models", anchor=False)
    asked = local_engine(what="Comparing models")
    overview = filled(asked)
    how = settings(asked, overview, model=False)
    models = _two(overview)
    if models is None or sum(_has_embedded(each, overview) for each in models) < len(models):
        return
    given = queries(asked, several=False)
    if not given:
        st.caption("Upload a photo, or choose a product; both models are asked the same.")
        return
    query = given[0]
    lists = [asked.similar(query.photos, query.product, replace(how, model=each.id)) for each in models]
    shared = {hit.product_id for hit in lists[0]} & {hit.product_id for hit in lists[1]}
    left, right = st.columns([1, 4.6], gap="medium", vertical_alignment="center")
    with left:
        query_tile(query, None, key="both")
    right.subheader(_overlap(lists, shared), anchor=False)
    for column, model, found in zip(st.columns(2, gap="large"), models, lists, strict=True):
        with column:
            st.subheader(model.id, anchor=False)
            tell(found)
            hit_tiles(asked, found, key=model.id, marked=shared)


def _two(overview: Overview) -> tuple[ModelState, ModelState] | None:
    """The two models that are chosen."""
    known = {each.id: each for each in overview.models}
    if len(known) == 1:
        st.info(
            f"There is one model here, {overview.model}. Add another with `sartor models add FILE.onnx` or "
            "`sartor models export resnet50`, and embed the catalog with it: `sartor models promote ID`.",
            icon=":material/add_circle:",
        )
        return None
    left, right = st.columns(2)
    first = left.selectbox("One model", list(known), key="model-1")
    second = right.selectbox("The other", [id_ for id_ in known if id_ != first], key="model-2")
    return known[first], known[second]


def _has_embedded(model: ModelState, overview: Overview) -> bool:
    """Whether a model can be asked; where it cannot, the page says what to do."""
    if not model.embedded:
        st.warning(
            f"{model.id} has not embedded this catalog yet. Stop the studio, and run:",
            icon=":material/layers_clear:",
        )
        st.code(f"sartor index SOURCE --model {model.id}", language="bash")
    elif model.embedded < overview.photos:
        st.info(f"{model.id} has embedded {model.embedded:,} of {overview.photos:,} photos; it finds only those.")
    return bool(model.embedded)


def _overlap(lists: list[Recommendation], shared: set[str]) -> str:
    longest = max(len(found) for found in lists)
    same = all(lists) and lists[0][0].product_id == lists[1][0].product_id
    first = "The first is the same." if same else "The first differs."
    return f"{len(shared)} of {longest} products are in both lists. {first if longest else ''}"


page()
