"""Request bodies: JSON, or a form with JSON and photos."""

from __future__ import annotations

import base64
import binascii
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from sartor.service.problems import BadRequest, TooManyPhotos

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import Request
    from starlette.datastructures import FormData

M = TypeVar("M", bound=BaseModel)

JSON, MULTIPART = "application/json", "multipart/form-data"
PHOTO = "photo"  # field of a form
_MAX_FIELDS = 8
_MAX_FIELD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A JSON text, and the photos beside it in their order."""

    json: bytes
    photos: tuple[bytes, ...] = ()


async def read_body(request: Request, *, field: str, max_photos: int, needs_field: bool = False) -> Body:
    """Read a body that is JSON, or a form with photos.

    Args:
        request: The request.
        field: Name of the form field that holds the JSON.
        max_photos: Number of photos that a form may have.
        needs_field: Whether the JSON has to be there; else what is missing is an empty object.

    Raises:
        BadRequest: The body is of another kind, a form field is unknown or there twice, or the JSON is missing.
        TooManyPhotos: It has more than ``max_photos``.
    """
    kind = content_type(request)
    if kind == MULTIPART:
        form = await _read_form(request, field=field, max_photos=max_photos)
        if needs_field and not form.json:
            raise BadRequest(f"the form has no field {field!r}; it has all of the {field} as JSON")
        return Body(json=form.json or b"{}", photos=form.photos)
    body = await request.body()
    if needs_field and not body:
        raise BadRequest(f"the request has no body; send all of the {field} as {JSON}")
    if kind == JSON or not body:
        return Body(json=body or b"{}")
    raise _unsupported(f"send {JSON} or {MULTIPART}, not {kind!r}")


@asynccontextmanager
async def photo_form(
    request: Request, *, max_files: int, max_fields: int, max_part_size: int = _MAX_FIELD_BYTES
) -> AsyncIterator[FormData]:
    """The form of a request with photos. A part ``photo`` is a file, also if its sender gave it no file name.

    Raises:
        HTTPException: The form cannot be read, with status 400.
    """
    parser = _PhotoParser(
        request.headers,
        request.stream(),
        max_files=max_files,
        max_fields=max_fields,
        max_part_size=max_part_size,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(status_code=400, detail=error.message) from error
    try:
        yield form
    finally:
        await form.close()


class _PhotoParser(MultiPartParser):
    """Starlette takes a part without a file name for a text, which a photo does not survive."""

    def on_headers_finished(self) -> None:
        disposition = self._current_part.content_disposition or b""
        _, options = parse_options_header(disposition)
        if options.get(b"name") == PHOTO.encode() and b"filename" not in options:
            self._current_part.content_disposition = disposition + b'; filename=""'
        super().on_headers_finished()


async def read_json(request: Request) -> bytes:
    """Read a body that is JSON.

    Raises:
        BadRequest: The content type says something else.
    """
    kind = content_type(request)
    if kind not in {JSON, ""}:
        raise _unsupported(f"send {JSON}, not {kind!r}")
    return await request.body()


def parse_json(model: type[M], text: bytes) -> M:
    """Parse a JSON text as a model.

    Raises:
        BadRequest: The text is no JSON.
        RequestValidationError: The JSON does not fit the model.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise BadRequest(f"this is no JSON: {error.errors()[0]['msg']}") from error
        raise _invalid(error) from error


def validate(model: type[M], value: object) -> M:
    """Check parsed JSON against a model.

    Raises:
        RequestValidationError: It does not fit.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(error) from error


def from_base64(text: str, *, name: str) -> bytes:
    """Decode Base64.

    Raises:
        BadRequest: The text is no Base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{name} is no Base64: {error}") from error


def body_schema(model: type[BaseModel], *, field: str) -> dict[str, Any]:
    """What OpenAPI says of a body that ``read_body`` reads; ``app.document_api`` adds the model's own schema."""
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


async def _read_form(request: Request, *, field: str, max_photos: int) -> Body:
    text, photos = b"", []
    async with photo_form(request, max_files=max_photos + 1, max_fields=_MAX_FIELDS) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile) and name == PHOTO:
                photos.append(await value.read())
            elif name == field and text:
                raise BadRequest(f"the form field {field!r} is there more than once")
            elif name == field:
                text = await value.read() if isinstance(value, UploadFile) else value.encode()
            else:
                raise BadRequest(f"there is no form field {name!r}; there are: {field}, photo")
    if len(photos) > max_photos:
        raise TooManyPhotos(limit=max_photos)
    return Body(json=text, photos=tuple(photos))


def content_type(request: Request) -> str:
    """The media type of a request's body, in lower case; empty if it tells none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _unsupported(detail: str) -> BadRequest:
    return BadRequest(detail, status=415, kind="unsupported-media-type")


def _invalid(error: ValidationError) -> RequestValidationError:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in errors])
