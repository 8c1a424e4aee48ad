"""Photos that shoppers uploaded to the pages: reduced, kept for a while, so that their results have an address."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile

from sartor.imaging import decode, without_metadata
from sartor.service.problems import BadRequest, TooManyPhotos

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastapi import Request

    from sartor.config import ServiceSettings


M = TypeVar("M", bound=BaseModel)


JSON, MULTIPART = "application/json", "multipart/form-data"
_FIELDS = 8
_FIELD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A JSON text, and photos beside it, in their order."""

    json: bytes
    photos: tuple[bytes, ...] = ()


async def read_body(request: Request, settings: ServiceSettings, *, field: str) -> Body:
    """Read a body of either kind.

    Args:
        request: The request.
        settings: How many photos it may have.
        field: Name of the form field that has the JSON.

    Raises:
        BadRequest: It is neither, or cannot be read.
        TooManyPhotos: It has more than it may.
    """
    kind = _kind_of(request)
    if kind == MULTIPART:
        return await _read_form(request, settings, field=field)
    body = await request.body()
    if kind == JSON or not body:
        return Body(json=body or b"{}")
    raise BadRequest(f"send {JSON} or {MULTIPART}, not {kind!r}", status=415, kind="unsupported-media-type")


async def read_json(request: Request) -> bytes:
    """Read a body that is JSON only.

    Raises:
        BadRequest: It is said to be something else.
    """
    kind = _kind_of(request)
    if kind not in {JSON, ""}:
        raise BadRequest(f"send {JSON}, not {kind!r}", status=415, kind="unsupported-media-type")
    return await request.body()


def parsed(model: type[M], text: bytes | str) -> M:
    """A JSON text as what it shall be.

    Raises:
        BadRequest: It is no JSON.
        RequestValidationError: It is JSON of another form.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise BadRequest(f"this is no JSON: {error.errors()[0]['msg']}") from error
        raise _of_another_form(error) from error


def validated(model: type[M], value: object) -> M:
    """What a JSON text says, as what it shall be.

    Raises:
        RequestValidationError: It is of another form.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _of_another_form(error) from error


def from_base64(text: str, *, name: str) -> bytes:
    """The bytes of a Base64 text.

    Raises:
        BadRequest: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{name} is no Base64: {error}") from error


def two_kinds(model: type[BaseModel], *, field: str) -> dict[str, Any]:
    """What OpenAPI says of such a body; ``openapi.complete`` adds the schema of the model."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": False,
            "content": {
                JSON: {"schema": reference},
                MULTIPART: {
                    "schema": {
                        "type": "object",
                        "properties": {
                            field: {"type": "string", "contentMediaType": JSON, "contentSchema": reference},
                            "photo": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        },
                    },
                },
            },
        }
    }


def _kind_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _of_another_form(error: ValidationError) -> RequestValidationError:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in errors])


async def _read_form(request: Request, settings: ServiceSettings, *, field: str) -> Body:
    text, photos = b"{}", []
    async with request.form(
        max_files=settings.max_photos + 1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES
    ) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile) and name == "photo":
                photos.append(await value.read())
            elif name == field:
                text = await value.read() if isinstance(value, UploadFile) else value.encode()
            else:
                raise BadRequest(f"there is no form field {name!r}; there are: {field}, photo")
    if len(photos) > settings.max_photos:
        raise TooManyPhotos(limit=settings.max_photos)
    return Body(json=text or b"{}", photos=tuple(photos))


_NAME = re.compile(r"[0-9a-f]{64}")
_KEPT_S = 24 * 3600.0
_MOST = 500
_SUFFIXES = ("jpg", "png", "webp")


class Uploads:
    """Photos in a directory, named by the SHA-256 of what was uploaded; the oldest make room for new ones."""

    def __init__(
        self,
        directory: Path,
        *,
        kept_s: float = _KEPT_S,
        most: int = _MOST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory, self._kept_s, self._most, self._clock = directory, kept_s, most, clock

    def put(self, data: bytes) -> str:
        """Keep a photo, reduced and without its metadata, and return its name.

        Raises:
            PhotoRejected: It is no photo that can be used.
        """
        name = hashlib.sha256(data).hexdigest()
        decoded = decode(data, name="the photo")
        kept = without_metadata(decoded)
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{name}.{kept.suffix}"
        draft = path.with_suffix(".part")
        draft.write_bytes(kept.data)
        draft.replace(path)
        self.tidy()
        return name

    def get(self, name: str) -> bytes | None:
        """A photo that is still kept."""
        if not _NAME.fullmatch(name):
            return None
        for suffix in _SUFFIXES:
            path = self._directory / f"{name}.{suffix}"
            if path.is_file():
                return path.read_bytes()
        return None

    def tidy(self) -> None:
        """Delete what is too old, and the oldest beyond what is kept."""
        files = [path for path in self._directory.iterdir() if path.suffix[1:] in _SUFFIXES]
        by_age = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
        oldest_s = self._clock() - self._kept_s
        for place, path in enumerate(by_age):
            if place >= self._most or path.stat().st_mtime < oldest_s:
                path.unlink(missing_ok=True)
