"""What the sessions share: one engine for all of them, the pages, and how a problem is told."""

from __future__ import annotations

import atexit
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from sartor.config import API_KEY_VARIABLE, STUDIO_API_VARIABLE, EnvironmentSettings
from sartor.errors import SartorError, ServiceUnreachable, WorkspaceBusy
from sartor.studio.engine import LocalEngine
from sartor.studio.remote import RemoteEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streamlit.navigation.page import Page

    from sartor.ingest.photos import OnProgress, Progress
    from sartor.studio.engine import Engine, Overview


@contextmanager
def progress_shown(what: str) -> Iterator[OnProgress]:
    """A bar that is there for as long as it lasts."""
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


_VIEWS = Path(__file__).with_name("views")
INDEX_PAGE = str(_VIEWS / "index.py")


def pages() -> Sequence[Page]:
    """The pages, the first one being shown first."""
    named = (
        ("search", "Search", ":material/image_search:"),
        ("compare", "Compare", ":material/compare:"),
        ("map", "Map", ":material/bubble_chart:"),
        ("report", "Report", ":material/analytics:"),
        ("index", "Index", ":material/library_add:"),
    )
    return [
        st.Page(_VIEWS / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "search")
        for name, title, icon in named
    ]


def engine() -> LocalEngine | RemoteEngine:
    """What answers: the service that was named, or else the workspace."""
    return _opened(os.environ.get(STUDIO_API_VARIABLE, ""), str(EnvironmentSettings().home))


def local_engine(*, what: str) -> LocalEngine:
    """The workspace; where a service answers instead, the page says what cannot be done, and ends."""
    found = engine()
    if not isinstance(found, LocalEngine):
        _tell_what_is_missing(found, what)
    return found


def _tell_what_is_missing(found: Engine, what: str) -> NoReturn:
    st.info(
        f"{what} needs the workspace itself: the API of the service at {found.place} has no call for it. "
        "Stop the service, and open its directory:",
        icon=":material/cloud_off:",
    )
    st.code("sartor studio --home DIR", language="bash")
    st.stop()


def filled(found: Engine) -> Overview:
    """What the catalog holds; where it holds nothing, the page says what to do, and ends."""
    overview = found.overview()
    if not overview.photos:
        _tell_what_to_do(found)
    return overview


def _tell_what_to_do(found: Engine) -> NoReturn:
    with st.container(border=True):
        st.subheader("This catalog is empty")
        st.write(f"There are no photos in `{found.place}` yet. Bring in a folder of photos, or a ZIP.")
        if isinstance(found, LocalEngine):
            st.page_link(INDEX_PAGE, label="Index photos", icon=":material/library_add:")
    st.stop()


@contextmanager
def problems_told() -> Iterator[None]:
    """Tell an error that Sartor raises on purpose as one line, and how to go on."""
    try:
        yield
    except WorkspaceBusy as error:
        _tell_busy(error)
    except ServiceUnreachable as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
    except SartorError as error:
        st.error(str(error), icon=":material/error:")


def _tell_busy(error: WorkspaceBusy) -> None:
    with st.container(border=True):
        st.subheader("Another process holds this workspace")
        st.write(f"{error}.")
        st.markdown(
            "One process at a time may hold a workspace. Either\n"
            "- stop that process, and try again; or\n"
            "- if it is `sartor serve`, leave it running, and let the studio ask it:"
        )
        st.code("sartor studio --api http://127.0.0.1:8000", language="bash")
        st.button("Try again", icon=":material/refresh:", type="primary")


def _release(found: LocalEngine | RemoteEngine) -> None:
    if isinstance(found, LocalEngine):
        atexit.unregister(found.close)
        found.close()


@st.cache_resource(show_spinner="Opening the catalog …", on_release=_release)
def _opened(api: str, home: str) -> LocalEngine | RemoteEngine:
    if api:
        return RemoteEngine(api, key=os.environ.get(API_KEY_VARIABLE, ""))
    opened = LocalEngine(EnvironmentSettings(home=Path(home)))
    atexit.register(opened.close)  # Ctrl-C ends Streamlit without releasing what it keeps
    return opened
