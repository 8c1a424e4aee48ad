"""Routes of imports: a feed is sent and read into the catalog, by a job that tells how far it is."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.datastructures import UploadFile

from sartor.catalog.columns import columns_of
from sartor.limits import DRY_RUN_WAIT_S, MAX_NAME_CHARS
from sartor.service.bodies import MULTIPART, content_type, photo_form, validate
from sartor.service.context import Service, needs
from sartor.service.problems import BadRequest, Problem
from sartor.service.schemas import ImportIn, ImportOut, PreviewOut
from sartor.service.security import Scope

if TYPE_CHECKING:
    import pathlib

    from sartor.service.imports import Job

router = APIRouter(prefix="/v1", tags=["imports"], dependencies=[needs(Scope.WRITE)])

ImportId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
_FILE = "file"  # field of a form
_MAX_FIELDS = 8
_POLL_S = 0.02
_COPIED_BYTES = 1 << 20
_SUFFIXES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/xml": ".xml",
    "application/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/json": ".json",
    "application/ld+json": ".jsonld",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/zip": ".zip",
    "text/html": ".html",
}
_RAW = {"description": "The feed, as it is."}  # of any bytes, so that nothing is said of its type
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": [_FILE],
                    "properties": {
                        _FILE: {"contentMediaType": "application/octet-stream", **_RAW},
                        "name": {"maxLength": MAX_NAME_CHARS},
                        "columns": {"description": "Such as image=Bild,price=Preis."},
                        **{
                            name: {"description": "true or false"} for name in ("dry_run", "prune", "allow_shrink")
                        },
                    },
                }
            },
            **{kind: {"schema": _RAW} for kind in ("application/octet-stream", *_SUFFIXES)},
        },
    }
}


@router.post(
    "/products/import",
    status_code=202,
    response_model=ImportOut,
    openapi_extra=_BODY,
    responses={200: {"description": "Of a dry run: what an import would find", "model": PreviewOut}},
)
async def start(
    request: Request,
    response: Response,
    service: Service,
    *,
    name: Annotated[
        str, Query(max_length=MAX_NAME_CHARS, description="What the feed is called; by default its file name.")
    ] = "",
    columns: Annotated[
        list[str], Query(description="What columns hold, where their names do not tell: image=Bild,price=Preis.")
    ] = [],  # noqa: B006 - FastAPI copies it
    dry_run: Annotated[bool, Query(description="Write nothing; answer with what would be read.")] = False,
    prune: Annotated[
        bool, Query(description="Delete products that the last feed of this name had, and this has not.")
    ] = False,
    allow_shrink: Annotated[bool, Query(description="Take a feed that says much less than before.")] = False,
) -> ImportOut | Response:
    """Import a feed or an export: CSV, TSV, XML, JSON, JSON Lines or Parquet, or a ZIP of one and its photos.

    It is the body itself, or the ``file`` of a form. It is read after the answer; ``Location`` says how far.
    """
    asked = ImportIn(
        name=name,
        columns=columns_of(filter(None, columns)) if any(columns) else None,
        dry_run=dry_run,
        prune=prune,
        allow_shrink=allow_shrink,
    )
    imports = service.imports
    await service.executor.run(imports.require_free)
    with imports.receiving() as directory:
        path, options = await _received(request, directory, asked)
        job = await service.executor.run(lambda: imports.start(path, options))
    address = f"{request.scope.get('root_path', '')}/v1/imports/{job.out.id}"
    response.headers["Location"] = address
    if options.dry_run and await _has_ended(job):
        if job.out.preview is None:
            raise Problem(422, "feed-unreadable", job.out.detail or "the feed cannot be read")
        return Response(job.out.preview.model_dump_json(), media_type="application/json")
    return await service.executor.run(lambda: job.out.model_copy(deep=True))


@router.get("/imports/{import_id}")
async def status(import_id: ImportId, service: Service) -> ImportOut:
    """How far an import is, and in the end its result."""
    return await service.executor.run(lambda: service.imports.status(import_id))


@router.get(
    "/imports/{import_id}/errors",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def errors(import_id: ImportId, service: Service) -> Response:
    """What is wrong with rows and photos of an import that has ended, as CSV: line, id, reason."""
    text = await service.executor.run(lambda: service.imports.errors(import_id))
    disposition = f'attachment; filename="import-{import_id}-errors.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": disposition})


@router.delete("/imports/{import_id}", status_code=202)
async def cancel(import_id: ImportId, service: Service) -> ImportOut:
    """Cancel an import; what is written stays. One that has ended stays as it is."""
    return await service.executor.run(lambda: service.imports.cancel(import_id))


async def _has_ended(job: Job) -> bool:
    """Wait for a dry run, for a while."""
    deadline_s = asyncio.get_running_loop().time() + DRY_RUN_WAIT_S
    while not job.ended.is_set() and asyncio.get_running_loop().time() < deadline_s:
        await asyncio.sleep(_POLL_S)
    return job.ended.is_set()


async def _received(request: Request, directory: pathlib.Path, asked: ImportIn) -> tuple[pathlib.Path, ImportIn]:
    """Write the feed of a request into a directory; returns its path, and how to import it."""
    kind = content_type(request)
    if kind == MULTIPART:
        return await _received_form(request, directory, asked)
    name = _file_name(asked.name or f"feed{_SUFFIXES.get(kind, '')}")
    path, size_bytes = directory / name, 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size_bytes += len(chunk)
            await asyncio.to_thread(file.write, chunk)
    return _sent(path, size_bytes), asked.model_copy(update={"name": asked.name or name})


async def _received_form(
    request: Request, directory: pathlib.Path, asked: ImportIn
) -> tuple[pathlib.Path, ImportIn]:
    fields: dict[str, Any] = {}
    async with photo_form(request, max_files=1, max_fields=_MAX_FIELDS) as form:
        for name, value in form.multi_items():
            if name in fields:
                raise BadRequest(f"the form field {name!r} is there more than once")
            if name != _FILE and name not in ImportIn.model_fields:
                known = ", ".join((_FILE, *ImportIn.model_fields))
                raise BadRequest(f"there is no form field {name!r}; there are: {known}")
            if name != _FILE and isinstance(value, UploadFile):
                raise BadRequest(f"the form field {name!r} is no file; the feed is {_FILE!r}")
            fields[name] = value
        file = fields.pop(_FILE, None)
        if file is None:
            raise BadRequest(f"the form has no field {_FILE!r}; it is the feed")
        given = {name: value for name, value in fields.items() if value}
        if "columns" in given:
            given["columns"] = columns_of([str(given["columns"])])
        options = validate(ImportIn, asked.model_dump() | given)
        sent_name = file.filename or "" if isinstance(file, UploadFile) else ""
        name = _file_name(sent_name or options.name or "feed")
        path = directory / name
        with path.open("wb") as target:
            if isinstance(file, UploadFile):
                await asyncio.to_thread(shutil.copyfileobj, file.file, target, _COPIED_BYTES)
            else:
                target.write(file.encode())
            size_bytes = target.tell()
    return _sent(path, size_bytes), options.model_copy(update={"name": options.name or name})


def _sent(path: pathlib.Path, size_bytes: int) -> pathlib.Path:
    if not size_bytes:
        raise BadRequest(f"the request has no feed; send one as its body, or as {_FILE!r} of a form")
    return path


def _file_name(name: str) -> str:
    """The name of a file for what its sender calls it: no folder, nothing hidden, of a bounded length."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter if letter.isprintable() else "-" for letter in last).lstrip(". ")
    while len(plain.encode("utf-8", "replace")) > MAX_NAME_CHARS:
        plain = plain[1:]  # its suffix stays
    return plain.encode("utf-8", "replace").decode() or "feed"
