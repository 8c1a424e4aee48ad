"""The query and how it is answered: the widgets that ask for both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from sartor.described import title_of
from sartor.errors import PhotoRejected
from sartor.imaging import decode, without_metadata
from sartor.limits import MAX_STUDIO_K, MAX_STUDIO_LISTED, MAX_STUDIO_PHOTO_MB
from sartor.recommend.features import FEATURES, FeatureWeights
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS
from sartor.studio.backend import SearchOptions, WorkspaceBackend
from sartor.types import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from sartor.studio.backend import Overview
    from sartor.studio.session import Backend
    from sartor.types import FacetValue, StoredProduct


_FORMATS = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif")
_SHOWN_PX = 480
_PHOTOS, _PRODUCT = "Photos", "A product"
_WITH, _ID, _DEVELOPER = "asked-with", "asked-product", "developer"  # keys of the session
_FIGURES = (
    "Shows the figures behind the words. The score is what the list is ordered by. "
    "The match is the probability that a shopper calls the product similar."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query by photos or by a product, and how it is shown.

    Attributes:
        photos: Encoded photos.
        product: Id of a product.
        pictures: Encoded pictures to show, with media types.
    """

    name: str
    photos: tuple[bytes, ...] = ()
    product: str | None = None
    pictures: tuple[tuple[bytes, str], ...] = ()


def queries(backend: Backend, *, several: bool = True) -> list[Query]:
    """Ask for photos or a product; an empty list until there are any."""
    # Keeps what another page or a button has set: Streamlit drops the state of widgets when their page is left.
    st.session_state[_WITH] = st.session_state.get(_WITH) or _PHOTOS
    asked_with = st.segmented_control(
        "Ask with", [_PHOTOS, _PRODUCT], key=_WITH, required=True, label_visibility="collapsed"
    )
    return _of_product(backend) if asked_with == _PRODUCT else _of_photos(several=several)


def ask_with(product_id: str) -> None:
    """Make a product the next query."""
    st.session_state[_WITH], st.session_state[_ID] = _PRODUCT, product_id


def _decoded(files: Sequence[UploadedFile]) -> tuple[list[Query], list[PhotoRejected]]:
    """A query for each photo that can be decoded, and errors for the others."""
    good, bad = [], []
    for file in files:
        data = file.getvalue()
        try:
            shown = without_metadata(decode(data, name=file.name), max_px=_SHOWN_PX)
        except PhotoRejected as error:
            bad.append(error)
        else:
            good.append(Query(name=file.name, photos=(data,), pictures=((shown.data, shown.media_type),)))
    return good, bad


def _of_photos(*, several: bool) -> list[Query]:
    files = st.file_uploader(
        "Photos" if several else "A photo",
        type=_FORMATS,
        accept_multiple_files=True,
        key="photos",
        max_upload_size=MAX_STUDIO_PHOTO_MB,
        label_visibility="collapsed",
    )
    good, bad = _decoded(files)
    for error in bad:
        st.warning(str(error), icon=":material/broken_image:")
    if len(good) > 1 and (not several or st.toggle("All photos are one query", key="together")):
        photos = tuple(photo for query in good for photo in query.photos)
        pictures = tuple(picture for query in good for picture in query.pictures)
        return [Query(name=f"{len(good)} photos together", photos=photos, pictures=pictures)]
    return good


def _of_product(backend: Backend) -> list[Query]:
    finding, choosing = st.columns([1, 2])
    words = finding.text_input("Words", key="words", placeholder="Words of its title or attributes, or its id")
    products = {stored.product.id: stored for stored in backend.find(words, limit=MAX_STUDIO_LISTED)}
    chosen = st.session_state.get(_ID)
    if chosen is not None and chosen not in products and not words:
        products = {chosen: backend.product(chosen), **products}
    if not products:
        choosing.info(f"No product has the words {words!r}.")
        return []
    if len(products) >= MAX_STUDIO_LISTED:
        choosing.caption(f"The first {MAX_STUDIO_LISTED} products; give more words for others.")
    st.session_state[_ID] = chosen if chosen in products else next(iter(products))
    product_id = choosing.selectbox(
        "Product", list(products), key=_ID, format_func=lambda id_: _label(products[id_])
    )
    stored = products[product_id]
    pictures = [backend.picture(photo.sha256, max_px=_SHOWN_PX) for photo in stored.photos[:1]]
    return [
        Query(
            name=title_of(stored.product, stored.predicted).text or product_id,
            product=product_id,
            pictures=tuple(picture for picture in pictures if picture is not None),
        )
    ]


def _label(stored: StoredProduct) -> str:
    title = title_of(stored.product, stored.predicted)
    mark = " (predicted)" if title.is_predicted else ""
    return f"{title.text}{mark} · {stored.product.id}" if title.text else stored.product.id


def settings(backend: Backend, overview: Overview, *, model: bool = True) -> SearchOptions:
    """Ask in the sidebar how queries are answered.

    Args:
        backend: What answers.
        overview: What its catalog holds.
        model: Whether to ask for the model.
    """
    with st.sidebar:
        st.caption(f"{overview.products:,} products · {overview.photos:,} photos  \n`{backend.location}`")
        chosen = _model(overview) if model else overview.model
        k = st.slider("How many", 1, MAX_STUDIO_K, 5, key="k")
        where = _filters(overview.facets)
        with st.expander("What counts"):
            dials = {
                name: st.slider(
                    name.capitalize(), 0.0, 1.0, getattr(DEFAULT_FEATURE_WEIGHTS, name), 0.05, key=f"dial-{name}"
                )
                for name in FEATURES
            }
            diversity = st.slider(
                "Diversity", 0.0, 1.0, 0.0, 0.05, key="diversity", help="0: the closest. 1: only what differs."
            )
        metric = _metric(fixed=not isinstance(backend, WorkspaceBackend))
        st.toggle("Developer view", key=_DEVELOPER, help=_FIGURES)
    return SearchOptions(
        model=chosen, metric=metric, k=k, dials=FeatureWeights(**dials), diversity=diversity, where=where
    )


def is_developer() -> bool:
    """Whether the figures behind the words are asked for."""
    return bool(st.session_state.get(_DEVELOPER, False))


def spoken(attribute: str) -> str:
    """The name of an attribute as people write it: ``articleType`` is ``Article type``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", attribute).lower()
    return words[:1].upper() + words[1:]


def _model(overview: Overview) -> str:
    photos = {state.id: state.embedded for state in overview.models}
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
    counts = {value.value: value.count for value in values}
    return st.multiselect(
        spoken(name),
        list(counts),
        key=f"filter-{name}",
        format_func=lambda value: f"{value} ({counts[value]:,})" if value in counts else value,
        placeholder="Any",
    )
