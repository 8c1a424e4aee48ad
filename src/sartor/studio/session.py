"""What all sessions share: one backend, the pages, and how progress and problems are shown."""

from __future__ import annotations

import atexit
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import streamlit as st

from sartor.config import API_KEY_VARIABLE, STUDIO_API_VARIABLE, EnvironmentSettings, with_file
from sartor.errors import SartorError, ServiceUnreachable
from sartor.studio.backend import WorkspaceBackend
from sartor.studio.remote import ServiceBackend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streamlit.navigation.page import Page

    from sartor.ingest.photos import OnProgress, Progress
    from sartor.studio.backend import Overview

Backend: TypeAlias = WorkspaceBackend | ServiceBackend

_VIEWS = Path(__file__).with_name("views")
_PAGES = (  # file, title and icon; the first is shown first
    ("search", "Search", ":material/image_search:"),
    ("compare", "Compare", ":material/compare:"),
    ("map", "Map", ":material/bubble_chart:"),
    ("report", "Report", ":material/analytics:"),
    ("index", "Index", ":material/library_add:"),
)


def pages() -> Sequence[Page]:
    """The pages of the studio."""
    return [
        st.Page(_VIEWS / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "search")
        for name, title, icon in _PAGES
    ]


def backend() -> Backend:
    """What answers: the service named in the environment, or else the workspace."""
    chosen = with_file(EnvironmentSettings())
    return _open_backend(os.environ.get(STUDIO_API_VARIABLE, ""), str(chosen.home), chosen.store, chosen)


def workspace_backend(*, what: str) -> WorkspaceBackend:
    """The workspace. If a service answers instead, the page says that it cannot do this, and ends."""
    current = backend()
    if not isinstance(current, WorkspaceBackend):
        _end_without_workspace(current, what)
    return current


def overview_of(current: Backend) -> Overview:
    """What the catalog holds. If it is empty, the page says what to do, and ends."""
    overview = current.overview()
    if not overview.photos:
        _end_empty(current)
    return overview


@contextmanager
def progress_shown(what: str) -> Iterator[OnProgress]:
    """Show a progress bar inside the ``with`` block."""
    start_s = time.perf_counter()
    bar = st.progress(0.0, text=f"{what} …")

    def show(step: Progress) -> None:
        elapsed_s = time.perf_counter() - start_s
        share = min(1.0, step.products / step.total) if step.total else 0.0
        total = f" of {step.total:,}" if step.total else ""
        bar.progress(
            share,
            text=f"{what}: {step.products:,}{total} products, {step.photos / max(elapsed_s, 1e-3):,.0f} photos/s",
        )

    try:
        yield show
    finally:
        bar.empty()


@contextmanager
def problems_shown() -> Iterator[None]:
    """Show an error of Sartor as one line, with what to do next."""
    try:
        yield
    except ServiceUnreachable as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
    except SartorError as error:
        st.error(str(error), icon=":material/error:")


def _end_without_workspace(current: Backend, what: str) -> NoReturn:
    st.info(
        f"{what} needs the workspace itself: the API of the service at {current.location} has no call for it. "
        "Stop the service, and open its directory:",
        icon=":material/cloud_off:",
    )
    st.code("sartor studio --home DIR", language="bash")
    st.stop()


def _end_empty(current: Backend) -> NoReturn:
    with st.container(border=True):
        st.subheader("This catalog is empty")
        st.write(f"There are no photos in `{current.location}` yet. Bring in a folder of photos, or a ZIP.")
        if isinstance(current, WorkspaceBackend):
            st.page_link(str(_VIEWS / "index.py"), label="Index photos", icon=":material/library_add:")
    st.stop()


def _release(current: Backend) -> None:
    atexit.unregister(current.close)
    current.close()


@st.cache_resource(show_spinner="Opening the catalog …", on_release=_release)
def _open_backend(api: str, home: str, store: str | None, _settings: EnvironmentSettings) -> Backend:
    """The backend of these settings; the last argument is none of the cache's key, as its name says."""
    del home, store
    opened = ServiceBackend(api, key=os.environ.get(API_KEY_VARIABLE, "")) if api else WorkspaceBackend(_settings)
    atexit.register(opened.close)  # Ctrl-C ends Streamlit without releasing what it caches
    return opened
