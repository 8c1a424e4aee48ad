"""Photos that shoppers upload: kept for a while, so that the results of a search have an address.

A photo is kept twice: small, to be shown, and with all of its pixels, to be searched with, so that a page finds
what every other door finds for it.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse

from sartor.errors import PhotoRejected
from sartor.imaging import bare_photo, decode, without_metadata
from sartor.imaging.fetch import EncodedPhoto
from sartor.limits import MAX_FORM_FILES, MAX_SEARCH_PHOTOS, MAX_UPLOADS, UPLOAD_AGE_S
from sartor.service.bodies import photo_form
from sartor.service.context import Service, needs
from sartor.service.problems import BadRequest, NotFound, Problem, TooManyPhotos
from sartor.service.security import Scope
from sartor.storefront.addresses import Search
from sartor.storefront.visitor import root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

router = APIRouter(include_in_schema=False, dependencies=[needs(Scope.READ)])

_NAME = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_SIGNATURES = ((b"\xff\xd8", "jpg"), (b"\x89PNG", "png"), (b"RIFF", "webp"))
_ASKED = "asked"  # suffix of the photo that is searched with
_PRIVATE = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPhoto:
    """An uploaded photo without metadata: as it is shown, and as it is searched with."""

    shown: bytes
    asked: EncodedPhoto


class Uploads:
    """Photos in a directory, named by their SHA-256, which several processes may use.

    Old ones are deleted, and the oldest beyond a limit.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_age_s: float = UPLOAD_AGE_S,
        limit: int = MAX_UPLOADS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory, self._max_age_s, self._limit, self._clock = directory, max_age_s, limit, clock

    def put(self, data: bytes) -> str:
        """Keep a photo without its metadata, and return its name.

        Raises:
            PhotoRejected: It cannot be decoded.
        """
        name = hashlib.sha256(data).hexdigest()
        decoded = decode(data, name="the photo")
        shown = without_metadata(decoded)
        self._directory.mkdir(parents=True, exist_ok=True)
        for suffix, content in ((_ASKED, bare_photo(data, decoded)), (shown.suffix, shown.data)):
            path = self._directory / f"{name}.{suffix}"
            draft = path.with_suffix(f".{uuid4().hex}.part")  # another process may keep the same photo now
            draft.write_bytes(content)
            draft.replace(path)
        self._delete_old()
        return name

    def kept(self, name: str) -> KeptPhoto | None:
        """A photo by its name, to search with; None if it is no longer kept."""
        shown = self.get(name)
        if shown is None:
            return None
        try:
            asked = (self._directory / f"{name}.{_ASKED}").read_bytes()
        except FileNotFoundError:  # a version before this one kept it
            asked = shown
        # Without the photo's own SHA-256: who has the shop's photo of a product wants to find that product.
        return KeptPhoto(shown=shown, asked=EncodedPhoto(name="the photo", sha256="", data=asked))

    def get(self, name: str) -> bytes | None:
        """A photo by its name, as it is shown; None if it is no longer kept."""
        if not _NAME.fullmatch(name):
            return None
        for suffix in _MEDIA_TYPES:
            try:
                return (self._directory / f"{name}.{suffix}").read_bytes()
            except FileNotFoundError:
                continue
        return None

    def _delete_old(self) -> None:
        files = [path for path in self._directory.iterdir() if path.suffix[1:] in {*_MEDIA_TYPES, "part"}]
        oldest_s = self._clock() - self._max_age_s
        newest_first = sorted(((_written_s(path), path) for path in files), reverse=True)
        for rank, (written_s, path) in enumerate(newest_first):
            if rank >= self._limit or written_s < oldest_s:
                path.unlink(missing_ok=True)
                path.with_suffix(f".{_ASKED}").unlink(missing_ok=True)


def _written_s(path: Path) -> float:
    """When a file was written; 0 for one that another process has deleted meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


async def uploads_of(request: Request) -> Uploads:
    """The uploads of the app that got a request."""
    uploads: Uploads = request.app.state.uploads
    return uploads


Kept = Annotated[Uploads, Depends(uploads_of)]


@router.post("/search")
async def search(request: Request, service: Service, uploads: Kept) -> RedirectResponse:
    """Take photos and lead to their results. Photos that cannot be decoded are left out, unless all are."""
    limit = min(MAX_SEARCH_PHOTOS, service.settings.max_photos)
    async with photo_form(request, max_files=MAX_FORM_FILES, max_fields=MAX_FORM_FILES) as form:
        former = [name for name in form.getlist("kept") if isinstance(name, str)]
        files = [file for file in form.getlist("photo") if isinstance(file, UploadFile)]
        photos = [(file.filename or "the photo", await file.read()) for file in files]
    photos = [(name, data) for name, data in photos if data or name != "the photo"]  # an empty field is no photo
    if not photos:
        detail = "no photo was chosen; pick one, and search again"
        raise BadRequest(detail, status=422, kind="no-photo")
    if len(former) + len(photos) > limit:
        raise TooManyPhotos(limit=limit)
    kept, rejected = await service.executor.run(lambda: _keep(uploads, photos))
    if not kept:
        raise Problem(422, "photo-rejected", "; ".join(rejected))
    address = root_of(request) + Search(photos=tuple(dict.fromkeys([*former, *kept]))).address
    return RedirectResponse(f"{address}&skipped={len(rejected)}" if rejected else address, 303)


@router.get("/uploads/{name}")
async def upload(name: str, service: Service, uploads: Kept) -> Response:
    """An uploaded photo, for anybody who knows its name."""
    data = await service.executor.run(lambda: uploads.get(name))
    if data is None:
        raise NotFound(f"the photo {name[:12]} is no longer kept")
    suffix = next((suffix for signature, suffix in _SIGNATURES if data.startswith(signature)), "")
    return Response(data, media_type=_MEDIA_TYPES.get(suffix, "application/octet-stream"), headers=_PRIVATE)


def _keep(uploads: Uploads, photos: Sequence[tuple[str, bytes]]) -> tuple[list[str], list[str]]:
    """Names of the photos that are kept, and why the others are not."""
    kept, rejected = [], []
    for name, data in photos:
        try:
            kept.append(uploads.put(data))
        except PhotoRejected as error:
            rejected.append(f"the photo {name[:100]} cannot be used: {error.reason}")
    return kept, rejected
