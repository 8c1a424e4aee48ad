"""Imports of feeds: jobs that run in a thread of the service, one at a time for a workspace.

A job is a small record among the settings of the store, so that every worker tells how far it is. Its process
holds a lease of the store meanwhile. A record that says ``running`` while nobody holds the lease is of a process
that ended.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import logging
import re
import secrets
import shutil
import threading
import time
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sartor.catalog.source import Case, Findings
from sartor.catalog.uploads import Upload
from sartor.errors import SartorError
from sartor.limits import (
    DRAIN_S,
    IMPORT_BEAT_S,
    IMPORT_LEASE_S,
    IMPORT_RECEIVE_S,
    MAX_IMPORT_ERRORS,
    MAX_IMPORTS,
    MAX_LISTED_REJECTIONS,
)
from sartor.service.problems import NotFound, Problem
from sartor.service.schemas import (
    FindingOut,
    ImportIn,
    ImportOut,
    ImportProgress,
    ImportRejectionOut,
    ImportResult,
    PreviewedOut,
    PreviewOut,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sartor.catalog.source import Finding, RowCase
    from sartor.ingest.photos import IngestReport, Progress, Rejection
    from sartor.ingest.preview import Preview
    from sartor.shop import Shop
    from sartor.store.base import CatalogStore
    from sartor.types import SourceProduct

logger = logging.getLogger(__name__)

_RECORD, _ERRORS, _CANCEL = "import:", "import-errors:", "import-cancel:"  # begin the settings of a job
_LEASE, _DIRECTORY = "import", "imports"
_PROBE = "nobody"  # takes a lease for no time, to see whether it is free
_AT = r"(?:line|item|row|script) \d+"
_LOCATED = re.compile(rf"(?s:(?P<what>.*)) \((?P<at>{_AT})\)|(?P<first>{_AT})(?:: (?s:(?P<rest>.*)))?")
_ABOUT_ID = frozenset({Case.DUPLICATE_IDS, Case.DRAFTS, Case.NO_PHOTO, Case.NO_PARENT, Case.OTHER_KINDS})
_ENDED = "the process that ran it ended before it was done; what was written stays, import the feed again"
_CANCELLED = "it was cancelled; what was written until then stays"


class Busy(Problem):
    """Another import runs."""

    def __init__(self) -> None:
        detail = "another import of this workspace is running; wait until it is done, or cancel it"
        super().__init__(409, "import-running", detail, headers={"Retry-After": "5"})


class Receiving(Problem):
    """Another feed is being received."""

    def __init__(self) -> None:
        detail = "another feed is being received; send this one when it is done"
        super().__init__(429, "import-receiving", detail, headers={"Retry-After": "5"})


class _Stopped(Exception):
    """A job is to end."""


class Job:
    """An import that runs in this process.

    Attributes:
        out: What is told of it.
        options: How to import.
        ended: Set when it is over and recorded.
        recording: Held while it is recorded, so that its end is not overwritten.
        upload: What it reads.
        ids: Ids of products of which something was noticed, by their location.
    """

    def __init__(self, out: ImportOut, path: Path, options: ImportIn) -> None:
        self.out, self.options = out, options
        self.ended = threading.Event()
        self.recording = threading.Lock()
        self.upload = Upload(
            path=path,
            name=out.name,
            findings=Findings(kept_rows=MAX_IMPORT_ERRORS),
            on_product=self._note,
        )
        self.ids: dict[str, str] = {}
        self._rows = 0  # noticed before the last product
        self._stop: tuple[str, str] | None = None

    def stop(self, status: str, detail: str) -> None:
        """Let it end at its next product, with a status."""
        self._stop = self._stop or (status, detail)

    @property
    def stopping(self) -> tuple[str, str] | None:
        """With which status and detail it is to end; None while it may go on."""
        return self._stop

    def show(self, progress: Progress) -> None:
        """Note how far it is; raises ``_Stopped`` if it is to end."""
        self.out.progress = self.out.progress.model_copy(
            update={"written": progress.products, "total": progress.total, "photos": progress.photos}
        )
        self._go_on()

    def _note(self, product: SourceProduct) -> None:
        self.out.progress.read += 1
        rows = len(self.upload.findings.rows)
        if rows > self._rows:
            self.ids[product.location] = product.product.id
        self._rows = rows
        self._go_on()

    def _go_on(self) -> None:
        if self._stop is not None:
            raise _Stopped


class Imports:
    """The imports of a workspace.

    Args:
        shop: The workspace.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._jobs: dict[str, Job] = {}
        self._threads: list[threading.Thread] = []
        self._is_receiving = False

    @property
    def _store(self) -> CatalogStore:
        return self._shop.catalog.store

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A new directory for a feed that is being received, one at a time.

        Raises:
            Receiving: Another one is being received by this process.
        """
        if self._is_receiving:
            raise Receiving
        self._is_receiving = True
        try:
            directory = self._shop.catalog.home / _DIRECTORY / secrets.token_hex(8)
            try:
                directory.mkdir(parents=True)
                yield directory
            except OSError as error:
                shutil.rmtree(directory, ignore_errors=True)
                detail = f"the feed cannot be kept here ({error.strerror or error}); make room in the workspace"
                raise Problem(503, "no-room", detail) from error
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
        finally:
            self._is_receiving = False

    def require_free(self) -> None:
        """Raise ``Busy`` if an import runs, in any process."""
        if self._jobs or self._store.lease(_LEASE, _PROBE, hold_s=0) is None:
            raise Busy

    def start(self, path: Path, options: ImportIn) -> Job:
        """Start to import a file that is alone in a directory, which is deleted afterwards.

        Raises:
            Busy: Another import was faster.
        """
        id_ = secrets.token_hex(8)
        if self._store.lease(_LEASE, id_, hold_s=IMPORT_LEASE_S) is None:
            raise Busy
        out = ImportOut(
            id=id_,
            status="running",
            name=options.name,
            dry_run=options.dry_run,
            started=_now(),
            progress=ImportProgress(),
        )
        job = Job(out, path, options)
        try:
            self._tidy(keeps=path.parent)
            self._record(job.out)
        except BaseException:
            self._store.lease(_LEASE, id_, hold_s=0)
            raise
        self._jobs[id_] = job
        self._threads = [
            threading.Thread(target=self._run, args=(job,), name="sartor-import", daemon=True),
            threading.Thread(target=self._beat, args=(job,), name="sartor-import-beat", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return job

    def status(self, id_: str) -> ImportOut:
        """How far an import is, in whichever process it runs.

        Raises:
            NotFound: There is none of this id, or it is long ago.
        """
        if (job := self._jobs.get(id_)) is not None:
            return job.out.model_copy(deep=True)
        out = self._recorded(id_)
        if out.status != "running" or self._store.lease(_LEASE, _PROBE, hold_s=0) is None:
            return out
        self._store.follow()
        out = self._recorded(id_)  # it may have ended just now
        if out.status == "running":
            out = out.model_copy(update={"status": "interrupted", "detail": _ENDED, "ended": _now()})
            self._record(out)
        return out

    def errors(self, id_: str) -> str:
        """The errors of an import as CSV: line, id, reason.

        Raises:
            NotFound: There is no such import.
            Problem: It is running; the list is written at its end.
        """
        if self.status(id_).status == "running":
            detail = "the list of errors is there when the import has ended; ask for its status first"
            raise Problem(409, "import-running", detail, headers={"Retry-After": "5"})
        kept = self._store.setting(_ERRORS + id_)
        rows = [] if not kept else json.loads(zlib.decompress(base64.b85decode(kept)))
        return _csv(rows)

    def cancel(self, id_: str) -> ImportOut:
        """Let an import end, in whichever process it runs; one that has ended stays as it is."""
        if (job := self._jobs.get(id_)) is not None:
            job.stop("cancelled", _CANCELLED)
            return self.status(id_)
        out = self.status(id_)
        if out.status == "running":
            self._store.set_setting(_CANCEL + id_, "1")
        return out

    def close(self) -> None:
        """Let the import of this process end, and wait for it."""
        for job in tuple(self._jobs.values()):
            job.stop("interrupted", _ENDED)
        for thread in self._threads:
            thread.join(DRAIN_S)

    def _run(self, job: Job) -> None:
        out = job.out
        rejected: tuple[Rejection, ...] = ()
        try:
            if job.options.dry_run:
                found = self._shop.catalog.preview(job.upload, limit=None, columns=job.options.columns)
                out.preview = _preview_out(found)
            else:
                report = self._shop.catalog.index(
                    job.upload,
                    limit=None,
                    prune=job.options.prune,
                    allow_shrink=job.options.allow_shrink,
                    ray=None,
                    columns=job.options.columns,
                    on_progress=job.show,
                    keeps_network=True,
                )
                rejected, out.detail = report.rejected, report.failure
                out.result = _result_out(report, revision=self._shop.revision)
            status = "done"
        except _Stopped:
            status, out.detail = job.stopping or ("cancelled", _CANCELLED)
        except SartorError as error:
            status, out.detail = "failed", str(error)
        except Exception as error:
            logger.exception("import failed: id=%s", out.id)
            detail = "something went wrong here; the log of the service says what"
            status, out.detail = "failed", f"{detail} ({type(error).__name__})"
        finally:
            shutil.rmtree(job.upload.path.parent, ignore_errors=True)
        try:
            self._end(job, status, rejected)
        except Exception:  # the store is away: others tell by the lease that it is over
            logger.exception("import not recorded: id=%s status=%s", out.id, status)
        finally:
            self._jobs.pop(out.id, None)
            job.ended.set()

    def _end(self, job: Job, status: str, rejected: Sequence[Rejection]) -> None:
        findings = job.upload.findings
        rows = _rows(findings.rows, rejected, job.ids)
        kept = rows[:MAX_IMPORT_ERRORS]
        ended = job.out.model_copy(
            update={
                "status": status,
                "ended": _now(),
                "errors": len(kept),
                "errors_left_out": len(rows) - len(kept) + findings.rows_left_out,
            }
        )
        text = json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace")
        with job.recording:
            self._store.set_settings(
                {
                    _RECORD + ended.id: ended.model_dump_json(),
                    _ERRORS + ended.id: base64.b85encode(zlib.compress(text)).decode() if kept else None,
                    _CANCEL + ended.id: None,
                }
            )
            job.out = ended
        self._store.lease(_LEASE, ended.id, hold_s=0)

    def _beat(self, job: Job) -> None:
        """Keep the lease, tell others how far the job is, and hear whether it is to end."""
        told = ""
        while not job.ended.wait(IMPORT_BEAT_S):
            try:
                if self._store.lease(_LEASE, job.out.id, hold_s=IMPORT_LEASE_S) is None:
                    job.stop("interrupted", "this process was silent for too long; import the feed again")
                if self._store.setting(_CANCEL + job.out.id):
                    job.stop("cancelled", _CANCELLED)
                with job.recording:
                    text = job.out.model_dump_json()
                    if text != told and job.out.status == "running":
                        self._record(job.out)
                    told = text
            except Exception as error:  # noqa: BLE001 - the store is away; the next beat tries again
                logger.warning("import not told: id=%s reason=%s", job.out.id, error)

    def _recorded(self, id_: str) -> ImportOut:
        text = self._store.setting(_RECORD + id_)
        if text is None:
            raise NotFound(f"there is no import {id_}; the last {MAX_IMPORTS} are remembered")
        return ImportOut.model_validate_json(text)

    def _record(self, out: ImportOut) -> None:
        self._store.set_setting(_RECORD + out.id, out.model_dump_json())

    def _tidy(self, *, keeps: Path) -> None:
        """Forget the oldest imports, and delete what processes that ended have left."""
        known = [
            ImportOut.model_validate_json(text)
            for name, text in self._store.settings().items()
            if name.startswith(_RECORD)
        ]
        known.sort(key=lambda out: out.started, reverse=True)
        old = known[MAX_IMPORTS - 1 :]
        if old:
            self._store.set_settings(
                {prefix + out.id: None for out in old for prefix in (_RECORD, _ERRORS, _CANCEL)}
            )
        for directory in keeps.parent.iterdir():
            age_s = time.time() - directory.stat().st_mtime
            if directory != keeps and age_s > IMPORT_RECEIVE_S:  # nobody can be sending it still
                shutil.rmtree(directory, ignore_errors=True)


def _rows(
    noticed: Sequence[RowCase], rejected: Sequence[Rejection], ids: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Line, id and reason of all that is wrong with rows and photos."""
    rows = [_row(each, ids) for each in noticed]
    return rows + [
        (_line(each.location), each.product_id, f"{each.photo}: {each.reason}" if each.photo else each.reason)
        for each in rejected
    ]


def _row(noticed: RowCase, ids: Mapping[str, str]) -> tuple[str, str, str]:
    found = _LOCATED.fullmatch(noticed.example)
    at, what = noticed.location, noticed.example
    if found is not None:
        at, what = found["at"] or found["first"], found["what"] or found["rest"] or ""
    if noticed.case in _ABOUT_ID:
        return _line(at), what, noticed.case
    return _line(at), ids.get(at, ""), f"{noticed.case}: {what}" if what else noticed.case


def _line(location: str) -> str:
    return location.removeprefix("line ")


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("line", "id", "reason"))
    writer.writerows(rows)
    return text.getvalue()


def _result_out(report: IngestReport, *, revision: int) -> ImportResult:
    return ImportResult(
        products=report.products,
        photos=report.photos,
        added=report.added,
        changed=report.updated,
        unchanged=report.unchanged,
        gone=report.deleted,
        embedded=report.embedded,
        rejected=len(report.rejected),
        first_rejected=[
            ImportRejectionOut(
                photo=each.photo, reason=each.reason, product_id=each.product_id, location=each.location
            )
            for each in report.rejected[:MAX_LISTED_REJECTIONS]
        ],
        findings=_findings_out(report.findings),
        seconds=round(report.seconds, 3),
        revision=revision,
    )


def _preview_out(found: Preview) -> PreviewOut:
    return PreviewOut(
        kind=found.kind,
        mapping=dict(found.mapping),
        products=found.products,
        photos=found.photos,
        without_photo=found.without_photo,
        first=[
            PreviewedOut(
                id=each.product.id,
                title=each.product.title,
                attributes={
                    name: list(value) if isinstance(value, tuple) else value
                    for name, value in each.product.attributes.items()
                },
                photos=list(each.photos),
            )
            for each in found.first
        ],
        findings=_findings_out(found.findings),
    )


def _findings_out(findings: Sequence[Finding]) -> list[FindingOut]:
    return [FindingOut(case=each.case, count=each.count, examples=list(each.examples)) for each in findings]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
