"""Map: the catalog in two dimensions, colored by an attribute."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import streamlit as st

from sartor.studio.queries import ask_with, spoken
from sartor.studio.session import overview_of, workspace_backend
from sartor.studio.tiles import product_tile

if TYPE_CHECKING:
    from sartor.evaluation.pictures import CatalogMap, PlacedProduct
    from sartor.studio.backend import WorkspaceBackend

_SIZES = (500, 1500, 3000)
_HEIGHT_PX = 620
_LEGEND_COLUMNS = 5
_SIZE, _PICKED_SIZE = 56, 260  # of a point, in square pixels
_OTHER, _NONE = "other", "not known"
_ATTRIBUTES_SHOWN = 8
_OTHER_COLOR = "#b4b7bd"  # of points that have none of the colored values
# Ten hues that can be told apart on white and on black, also by most who see fewer colors.
_POINT_COLORS = (
    "#2440b5", "#d9822b", "#1d9a6c", "#c2365a", "#7a52c7", "#0f8fb3", "#8a6d1f", "#d66fb0", "#5f8f2d", "#8c4a32",
)  # fmt: skip


def page() -> None:
    """Show the page."""
    st.title("Map of the catalog", anchor=False)
    workspace = workspace_backend(what="A map")
    overview = overview_of(workspace)
    with st.sidebar:
        models = [state.id for state in overview.models if state.embedded]
        model = st.selectbox("Model", models, key="map-model")
        limit = st.select_slider("How many", _SIZES, value=_SIZES[1], key="map-most")
    catalog_map = _laid_out(workspace, model, limit, overview.photos)
    names = _colorings(catalog_map, list(overview.facets))
    with st.sidebar:
        attribute = st.selectbox("Colored by", names, key="map-color", format_func=spoken) if names else ""
    st.caption(
        f"{len(catalog_map.products):,} of {catalog_map.of:,} products, laid out by "
        f"{catalog_map.method}. Near means alike; "
        "what is far apart says little. Point at a product for its name, click it to see it."
    )
    left, right = st.columns([4, 1], gap="medium")
    with left:
        chosen = _chart(catalog_map, attribute)
    with right:
        _show_product(
            workspace, next((product for product in catalog_map.products if product.product_id == chosen), None)
        )


@st.cache_resource(
    max_entries=8, show_spinner="Laying out the map; 1,500 products take some 10 seconds of a free core …"
)
def _laid_out(_backend: WorkspaceBackend, model: str, limit: int, photos: int) -> CatalogMap:  # noqa: ARG001 - a key
    """The map, cached until the number of photos changes."""
    return _backend.map(model, limit=limit)


def _colorings(catalog_map: CatalogMap, facets: list[str]) -> list[str]:
    named = {name for product in catalog_map.products for name in product.attributes}
    return [name for name in facets if name in named] or sorted(named)


def _chart(catalog_map: CatalogMap, attribute: str) -> str | None:
    """Show the points; returns the id of the product that was clicked."""
    values = [str(product.attributes.get(attribute, _NONE)) for product in catalog_map.products]
    shown = [value for value, _ in Counter(values).most_common() if value != _NONE][: len(_POINT_COLORS)]
    rows = [
        {
            "x": product.x,
            "y": product.y,
            "id": product.product_id,
            "title": product.title or product.product_id,
            "value": value,
            "group": value if value in shown else _OTHER,
        }
        for product, value in zip(catalog_map.products, values, strict=True)
    ]
    groups = [*shown, *([_OTHER] if set(values) - set(shown) else [])]
    state: Any = st.vega_lite_chart(
        rows,
        _spec(groups, colors=[*_POINT_COLORS[: len(shown)], _OTHER_COLOR], name=spoken(attribute)),
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
    axis = {"type": "quantitative", "axis": None, "scale": {"zero": False, "nice": False, "padding": 12}}
    legend = {"orient": "bottom", "columns": _LEGEND_COLUMNS, "symbolOpacity": 1}
    return {
        "height": _HEIGHT_PX,
        "mark": {"type": "circle", "opacity": 0.85},
        "params": [
            {"name": "picked", "select": {"type": "point", "fields": ["id"], "on": "click", "nearest": True}},
            {"name": "grid", "select": "interval", "bind": "scales"},
        ],
        "encoding": {
            "x": {"field": "x", **axis},
            "y": {"field": "y", **axis},
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


def _show_product(workspace: WorkspaceBackend, product: PlacedProduct | None) -> None:
    if product is None:
        st.caption("No product is chosen.")
        return
    attributes = [
        f"{spoken(name)}: {value}" for name, value in list(product.attributes.items())[:_ATTRIBUTES_SHOWN]
    ]
    product_tile(
        workspace,
        product.sha256,
        title=product.title or product.product_id,
        lines=[product.product_id, *attributes],
    )
    if st.button("Search with this", key="map-search", on_click=ask_with, args=(product.product_id,)):
        st.switch_page("views/search.py")


page()
