"""Report: an evaluation, opened from a file or run here."""

from __future__ import annotations

import base64
import hashlib
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from sartor.evaluation.report.page import html_report
from sartor.studio.session import progress_shown, workspace_backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.ingest.photos import OnProgress
    from sartor.studio.backend import WorkspaceBackend


_HEIGHT_PX = 900
_OPEN, _RUN = "Open a report", "Run an evaluation"
_REPORT = "report"  # key of the session


def contained(page: str) -> str:
    """A page that can run no script but that of Sartor's reports.

    Streamlit's frames have the studio's own origin, so another script in one could use the studio.
    """
    script = files("sartor.evaluation.report").joinpath("templates", "sort.js").read_bytes()
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode("ascii")
    allowed = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    return f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{allowed}">{page}'


def page() -> None:
    """Show the page."""
    st.title("Evaluation report", anchor=False)
    way = st.segmented_control("What", [_OPEN, _RUN], default=_OPEN, required=True, label_visibility="collapsed")
    if way == _RUN:
        _run(workspace_backend(what="An evaluation"))
        return
    file = st.file_uploader(
        "An HTML file of `sartor evaluate --report FILE.html`", type=["html", "htm"], key="file"
    )
    if file is None:
        st.caption("Choose the file that `sartor evaluate SOURCE --report FILE.html` has written.")
        return
    st.iframe(contained(file.getvalue().decode("utf-8", errors="replace")), height=_HEIGHT_PX)


def _run(workspace: WorkspaceBackend) -> None:
    overview = workspace.overview()
    with st.form("evaluation"):
        source = st.text_input(
            "Source", placeholder="/data/fashion-product-images-224.zip", help="As `sartor index` reads it."
        )
        models = st.multiselect(
            "Models",
            [*(state.id for state in overview.models), "color-histogram", "random"],
            default=[overview.model],
        )
        limit = st.number_input("Only the first … products", min_value=10, value=None, placeholder="all of them")
        held_out = st.checkbox("Ask only about products that the first model has not learned from")
        started = st.form_submit_button("Evaluate", type="primary", icon=":material/play_arrow:")
    if started and source.strip():
        st.session_state[_REPORT] = html_report(
            workspace.evaluate(
                source.strip(),
                models,
                limit=None if limit is None else int(limit),
                held_out=held_out,
                show=_shown,
            )
        )
    elif started:
        st.warning("Name a source: a folder, a ZIP or a table on this machine.")
    if report := st.session_state.get(_REPORT):
        st.download_button(
            "Download the report", report, file_name="report.html", mime="text/html", icon=":material/download:"
        )
        st.iframe(contained(report), height=_HEIGHT_PX)


@contextmanager
def _shown(what: str) -> Iterator[OnProgress]:
    source = Path(what.rpartition(": ")[2]).name
    with progress_shown(f"{what.partition(':')[0]} embeds {source}") as on_progress:
        yield on_progress


page()
