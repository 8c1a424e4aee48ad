"""The settings of a query, in the sidebar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from sartor.recommend.traits import TRAITS, Dials
from sartor.recommend.tuning import DEFAULT_DIALS
from sartor.studio.engine import How
from sartor.studio.local import LocalEngine
from sartor.types import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.studio.engine import Engine, Overview
    from sartor.types import FacetValue

_MOST_K = 48


def settings(engine: Engine, overview: Overview, *, model: bool = True) -> How:
    """Draw the settings and read them.

    Args:
        engine: Whose catalog it is.
        overview: What that holds.
        model: Whether the model is chosen here.
    """
    with st.sidebar:
        st.caption(f"{overview.products:,} products · {overview.photos:,} photos  \n`{engine.place}`")
        chosen = _model(overview) if model else overview.model
        k = st.slider("How many", 1, _MOST_K, 5, key="k")
        where = _filters(overview.facets)
        with st.expander("What counts"):
            dials = {
                name: st.slider(
                    name.capitalize(), 0.0, 1.0, getattr(DEFAULT_DIALS, name), 0.05, key=f"dial-{name}"
                )
                for name in TRAITS
            }
            diversity = st.slider(
                "Diversity", 0.0, 1.0, 0.0, 0.05, key="diversity", help="0: the closest. 1: only what differs."
            )
        metric = _metric(fixed=not isinstance(engine, LocalEngine))  # a service has its own
    return How(model=chosen, metric=metric, k=k, dials=Dials(**dials), diversity=diversity, where=where)


def spoken(attribute: str) -> str:
    """An attribute's name as people write it: ``articleType`` is ``Article type``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", attribute).lower()
    return words[:1].upper() + words[1:]


def _model(overview: Overview) -> str:
    photos = {each.id: each.embedded for each in overview.models}
    return st.selectbox(
        "Model",
        list(photos),
        key="model",
        format_func=lambda id_: id_ if photos[id_] else f"{id_} (has embedded nothing here)",
        disabled=len(photos) == 1,
    )


def _metric(*, fixed: bool) -> Metric:
    chosen = st.segmented_control(
        "Metric",
        list(Metric),
        default=Metric.COSINE,
        required=True,
        key="metric",
        format_func=str.capitalize,
        disabled=fixed,
        help="Embeddings have norm 1, so both rank alike; only the scores differ.",
    )
    return chosen or Metric.COSINE


def _filters(facets: Mapping[str, Sequence[FacetValue]]) -> dict[str, list[str]]:
    with st.expander("Filters"):
        chosen = {name: _filter(name, values) for name, values in facets.items() if values}
        if not chosen:
            st.caption("No attribute of this catalog makes a good filter.")
    return {name: values for name, values in chosen.items() if values}


def _filter(name: str, values: Sequence[FacetValue]) -> list[str]:
    counts = {each.value: each.count for each in values}
    return st.multiselect(
        spoken(name),
        list(counts),
        key=f"filter-{name}",
        format_func=lambda value: f"{value} ({counts[value]:,})" if value in counts else value,
        placeholder="Any",
    )
