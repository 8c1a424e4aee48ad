"""Photos that a shopper brings: the form that takes them, and where they are shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse

from sartor.errors import PhotoRejected
from sartor.service.context import Engine, needs
from sartor.service.problems import BadRequest, NotFound, Problem, TooManyPhotos
from sartor.service.security import Scope
from sartor.storefront.addresses import MOST_PHOTOS, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.service.uploads import Uploads

router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])

_FILES = 64  # far more than are taken, so that too many are told from a broken form
_SIGNATURES = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))
_PRIVATE = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}


@router.post("/search")
async def search(request: Request, engine: Engine) -> RedirectResponse:
    """Take photos, and lead to what looks like them; those that cannot be used are left out, unless all are."""
    limit = min(MOST_PHOTOS, engine.settings.max_photos)
    async with request.form(max_files=_FILES, max_fields=_FILES) as form:
        before = [each for each in form.getlist("kept") if isinstance(each, str)]
        files = [each for each in form.getlist("photo") if isinstance(each, UploadFile)]
        photos = [(each.filename or "the photo", await each.read()) for each in files]
        photos = [
            (name, data) for name, data in photos if data or name != "the photo"
        ]  # an empty field is no photo
    if not photos:
        detail = "no photo was chosen; pick one, and search again"
        raise BadRequest(detail, status=422, kind="no-photo")
    if len(before) + len(photos) > limit:
        raise TooManyPhotos(limit=limit)
    kept, rejected = await engine.desk.run(lambda: _keep(engine.uploads, photos))
    if not kept:
        raise Problem(422, "photo-rejected", "; ".join(rejected))
    address = Search(photos=tuple(dict.fromkeys([*before, *kept]))).address
    return RedirectResponse(f"{address}&skipped={len(rejected)}" if rejected else address, 303)


@router.get("/uploads/{name}")
async def upload(name: str, engine: Engine) -> Response:
    """A photo that was uploaded, for whoever knows its name."""
    data = await engine.desk.run(lambda: engine.uploads.get(name))
    if data is None:
        raise NotFound(f"the photo {name[:12]} is no longer kept")
    media_type = next((kind for start, kind in _SIGNATURES if data.startswith(start)), "application/octet-stream")
    return Response(data, media_type=media_type, headers=_PRIVATE)


def _keep(uploads: Uploads, photos: Sequence[tuple[str, bytes]]) -> tuple[list[str], list[str]]:
    kept, rejected = [], []
    for name, data in photos:
        try:
            kept.append(uploads.put(data))
        except PhotoRejected as error:
            rejected.append(f"the photo {name[:100]} cannot be used: {error.reason}")
    return kept, rejected
