"""Reports of evaluations in a frame: with the report's own script, and no other."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files


def contained(page: str) -> str:
    """A page that runs only the script of Sartor's reports, wherever it is from.

    Streamlit's frames have the studio's own origin, so that what runs in one could use the studio.
    """
    script = files("sartor.evaluation").joinpath("templates", "sort.js").read_bytes()
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode("ascii")
    allowed = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    return f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{allowed}">{page}'
