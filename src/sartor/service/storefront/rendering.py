"""From what a page shows to HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from sartor.service.storefront.personal import NOBODY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.service.storefront.static_files import StaticFiles

_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept"}


class Pages:
    """Renders the templates of the package; every value in them is escaped."""

    def __init__(self, static: StaticFiles) -> None:
        self._environment = Environment(
            loader=PackageLoader("sartor.service.storefront"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["static"] = static.address
        self._environment.globals["shopper"] = (
            NOBODY  # of pages that nobody in particular looks at, such as errors
        )

    def html(self, template: str, **values: Any) -> str:
        """A page as text."""
        return self._environment.get_template(template).render(values)

    def response(self, text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """A page as an answer, which no cache in between keeps."""
        return HTMLResponse(text, status, headers={**_HEADERS, **(headers or {})})
