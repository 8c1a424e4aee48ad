"""Map: the catalog in two dimensions, colored by an attribute."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import streamlit as st

from sartor.studio.queries import ask_with, spoken
from sartor.studio.session import filled, local_engine
from sartor.studio.tiles import OTHER_COLOR, POINT_COLORS, product_tile

if TYPE_CHECKING:
    from sartor.evaluation.catalog_map import CatalogMap, PlacedProduct
    from sartor.studio.engine import LocalEngine

_SIZES = (500, 1500, 3000)
_HEIGHT_PX = 620
_LEGEND_COLUMNS = 5
_SIZE, _PICKED_SIZE = 56, 260  # of a point, in square pixels
_OTHER, _NONE = "other", "not told"
_ATTRIBUTES_SHOWN = 8


def page() -> None:
    """Draw the page."""
    st.title("Map of the catalog", anchor=False)
    asked = local_engine(what="A map")
    overview = filled(asked)
    with st.sidebar:
        models = [each.id for each in overview.models if each.embedded]
        model = st.selectbox("Model", models, key="map-model")
        most = st.select_slider("How many", _SIZES, value=_SIZES[1], key="map-most")
    atlas = _laid_out(asked, model, most, overview.photos)
    names = _colorings(atlas, list(overview.facets))
    with st.sidebar:
        attribute = st.selectbox("Colored by", names, key="map-color", format_func=spoken) if names else ""
    st.caption(
        f"{len(atlas.products):,} of {atlas.of:,} products, laid out by {atlas.method}. Near means alike; "
        "what is far apart says little. Point at a product for its name, click it to see it."
    )
    left, right = st.columns([4, 1], gap="medium")
    with left:
        chosen = _chart(atlas, attribute)
    with right:
        _show(asked, next((each for each in atlas.products if each.product_id == chosen), None))


@st.cache_resource(
    max_entries=8, show_spinner="Laying out the map; 1,500 products take some 10 seconds of a free core …"
)
def _laid_out(_engine: LocalEngine, model: str, most: int, photos: int) -> CatalogMap:  # noqa: ARG001 - a key
    """The map, kept until the catalog has other photos."""
    return _engine.map(model, most=most)


def _colorings(atlas: CatalogMap, facets: list[str]) -> list[str]:
    told = {name for product in atlas.products for name in product.attributes}
    return [name for name in facets if name in told] or sorted(told)


def _chart(atlas: CatalogMap, attribute: str) -> str | None:
    """Draw the points; returns the id of the product that was clicked."""
    values = [str(product.attributes.get(attribute, _NONE)) for product in atlas.products]
    shown = [value for value, _ in Counter(values).most_common() if value != _NONE][: len(POINT_COLORS)]
    rows = [
        {
            "x": product.x,
            "y": product.y,
            "id": product.product_id,
            "title": product.title or product.product_id,
            "value": value,
            "group": value if value in shown else _OTHER,
        }
        for product, value in zip(atlas.products, values, strict=True)
    ]
    groups = [*shown, *([_OTHER] if set(values) - set(shown) else [])]
    state: Any = st.vega_lite_chart(
        rows,
        _spec(groups, colors=[*POINT_COLORS[: len(shown)], OTHER_COLOR], name=spoken(attribute)),
        on_select="rerun",
        key="map",
        alt=f"Map of {len(rows)} products, colored by {spoken(attribute)}",
    )
    points = state.selection.get("picked") or [{}]
    chosen: str | None = points[0].get("id")
    return chosen


def _spec(groups: list[str], *, colors: list[str], name: str) -> dict[str, Any]:
    """The chart in Vega-Lite.

    Source: https://vega.github.io/vega-lite/docs/
    """
    place = {"type": "quantitative", "axis": None, "scale": {"zero": False, "nice": False, "padding": 12}}
    legend = {"orient": "bottom", "columns": _LEGEND_COLUMNS, "symbolOpacity": 1}
    return {
        "height": _HEIGHT_PX,
        "mark": {"type": "circle", "opacity": 0.85},
        "params": [
            {"name": "picked", "select": {"type": "point", "fields": ["id"], "on": "click", "nearest": True}},
            {"name": "grid", "select": "interval", "bind": "scales"},
        ],
        "encoding": {
            "x": {"field": "x", **place},
            "y": {"field": "y", **place},
            "color": {
                "field": "group",
                "type": "nominal",
                "title": None,
                "scale": {"domain": groups, "range": colors[: len(groups)]},
                "legend": legend,
            },
            "size": {"condition": {"param": "picked", "empty": False, "value": _PICKED_SIZE}, "value": _SIZE},
            "tooltip": [
                {"field": "title", "type": "nominal", "title": "Product"},
                {"field": "id", "type": "nominal", "title": "Id"},
                {"field": "value", "type": "nominal", "title": name or "Value"},
            ],
        },
    }


def _show(asked: LocalEngine, product: PlacedProduct | None) -> None:
    if product is None:
        st.caption("No product is chosen.")
        return
    told = [f"{spoken(name)}: {value}" for name, value in list(product.attributes.items())[:_ATTRIBUTES_SHOWN]]
    product_tile(
        asked, product.sha256, title=product.title or product.product_id, lines=[product.product_id, *told]
    )
    if st.button("Search with this", key="map-search", on_click=ask_with, args=(product.product_id,)):
        st.switch_page("views/search.py")


page()
