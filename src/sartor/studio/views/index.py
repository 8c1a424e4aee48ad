"""Index: bring a folder or a ZIP into the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from sartor.studio.session import progress_shown, workspace_backend

if TYPE_CHECKING:
    from sartor.ingest.photos import IngestReport
    from sartor.studio.backend import WorkspaceBackend

_FOLDER, _ZIP = "A folder or file here", "Upload a ZIP"
_REPORT = "ingest"  # key of the session


def page() -> None:
    """Show the page."""
    st.title("Index photos", anchor=False)
    workspace = workspace_backend(what="Indexing")
    way = st.segmented_control(
        "From", [_FOLDER, _ZIP], default=_FOLDER, required=True, label_visibility="collapsed"
    )
    allow_shrink = st.toggle(
        "Even if it says much less than before",
        help="Else a source that would take many products' photos or attributes away is refused.",
        key="allow-shrink",
    )
    source = _uploaded(workspace) if way == _ZIP else _on_this_machine()
    if source:
        with progress_shown("Indexing") as on_progress:
            st.session_state[_REPORT] = workspace.index(source, allow_shrink=allow_shrink, on_progress=on_progress)
    report = st.session_state.get(_REPORT)
    if report is not None:
        _show(report)


def _on_this_machine() -> str | None:
    """The path to index now."""
    with st.form("folder", border=False):
        path = st.text_input(
            "Path on the machine that runs the studio, or address",
            placeholder="/home/me/photos",
            help="A folder of photos, a ZIP, a Kaggle data set, a CSV or JSON Lines table, a Merchant feed; or "
            "the address of one in a bucket: s3://BUCKET/KEY.",
        )
        started = st.form_submit_button("Index", type="primary", icon=":material/play_arrow:")
    if started and not path.strip():
        st.warning("Name a folder or a file.")
    return path.strip() if started else None


def _uploaded(workspace: WorkspaceBackend) -> str | None:
    """The upload to index now, kept in the workspace."""
    file = st.file_uploader("A ZIP of photos, with or without a table", type=["zip"], key="zip")
    started = st.button("Index", type="primary", icon=":material/play_arrow:", disabled=file is None)
    return workspace.keep_upload(file.name, file) if started and file is not None else None


def _show(report: IngestReport) -> None:
    if report.failure is not None:
        st.error(report.failure)
    else:
        st.success(
            f"{report.products:,} products of {report.source} are in the catalog: {report.added:,} new, "
            f"{report.updated:,} changed, {report.unchanged:,} as they were.",
            icon=":material/check_circle:",
        )
    figures = {
        "Photos": f"{report.photos:,}",
        "Embedded now": f"{report.embedded:,}",
        "Rejected": f"{len(report.rejected):,}",
        "Photos a second": f"{report.photos_per_second:,.0f}",
    }
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, value, border=True, width=164)
    if report.rejected:
        st.subheader("Rejected photos", anchor=False)
        st.dataframe([{"Photo": photo.photo, "Why": photo.reason} for photo in report.rejected], hide_index=True)
    if report.findings:
        st.subheader("What was noticed", anchor=False)
        rows = [
            {"What": finding.case, "How often": finding.count, "For example": ", ".join(finding.examples)}
            for finding in report.findings
        ]
        st.dataframe(rows, hide_index=True)


page()
