"""The script that Streamlit runs. A process that holds a workspace is called by the name of this file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from sartor.studio.session import pages, problems_shown

_LOGO, _STYLE = (Path(__file__).with_name(name) for name in ("logo.svg", "studio.css"))
_SIDEBAR_PX = 264


def main() -> None:
    """Show what all pages have in common, and the page that was asked for."""
    st.set_page_config(
        page_title="Sartor Studio", page_icon=str(_LOGO), layout="wide", initial_sidebar_state=_SIDEBAR_PX
    )
    st.html(_STYLE)
    st.logo(str(_LOGO), size="large")
    page = st.navigation(pages(), position="top")
    with problems_shown():
        page.run()


if __name__ == "__main__":
    main()
