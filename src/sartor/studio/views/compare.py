"""Compare: two models side by side on the same query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from sartor.studio.queries import queries, settings
from sartor.studio.session import overview_of, workspace_backend
from sartor.studio.tiles import hit_tiles, query_tile, show_summary

if TYPE_CHECKING:
    from sartor.recommend.similar import Recommendation
    from sartor.studio.backend import ModelState, Overview


def page() -> None:
    """Show the page."""
    st.title("Compare two models", anchor=False)
    workspace = workspace_backend(what="Comparing models")
    overview = overview_of(workspace)
    options = settings(workspace, overview, model=False)
    models = _chosen_models(overview)
    if models is None or sum(_has_embedded(model, overview) for model in models) < len(models):
        return
    entered = queries(workspace, several=False)
    if not entered:
        st.caption("Upload a photo, or choose a product; both models are asked the same.")
        return
    query = entered[0]
    lists = [workspace.similar(query.photos, query.product, replace(options, model=model.id)) for model in models]
    shared = {hit.product_id for hit in lists[0]} & {hit.product_id for hit in lists[1]}
    left, right = st.columns([1, 4.6], gap="medium", vertical_alignment="center")
    with left:
        query_tile(query, None, key="both")
    right.subheader(_overlap(lists, shared), anchor=False)
    for column, model, results in zip(st.columns(2, gap="large"), models, lists, strict=True):
        with column:
            st.subheader(model.id, anchor=False)
            show_summary(results)
            hit_tiles(workspace, results, key=model.id, marked=shared)


def _chosen_models(overview: Overview) -> tuple[ModelState, ModelState] | None:
    """The two models to compare; None if there is only one."""
    known = {state.id: state for state in overview.models}
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
    """Whether a model can be asked. If not, the page says what to do."""
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
    longest = max(len(results) for results in lists)
    same = all(lists) and lists[0][0].product_id == lists[1][0].product_id
    first = "The first is the same." if same else "The first differs."
    return f"{len(shared)} of {longest} products are in both lists. {first if longest else ''}"


page()
