"""Thumbnails in a bucket of Amazon S3 or of a server that speaks its protocol.

Through boto3, because it has what the contract needs: a copy of an object onto itself with new metadata, and the
``Date`` of each answer. obstore moves many bytes faster, but has neither; s3fs pins a driver of years ago.

A delete must not hit a thumbnail that another process finds at that moment, and S3 has no delete that depends on
the age of an object. So who deletes writes a claim first, then looks at the age, deletes, and takes the claim
away. Who renews the age then looks for a claim, and last whether the object is still there. S3 is strongly
consistent, so either the first sees the new age, or the second sees the claim or the loss.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html.
"""

from __future__ import annotations

import logging
import math
import os
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from sartor.errors import BadAddress, MediaAway, SartorError, WorkspaceUnusable, redacted
from sartor.limits import SERVER_CALL_S, SERVER_CONNECT_S, UNUSED_PHOTO_AGE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

logger = logging.getLogger(__name__)

CACHE_CONTROL = "public, max-age=31536000, immutable"
_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
OWNER = "workspace"  # the object that says whose thumbnails these are
_CLAIMS = "deleting/"  # what the keys of claims begin with
_CLAIM_S = 60.0  # age of a claim whose process was killed
_HESITATION = 6  # who has not looked at the age in this part of it deletes nothing, as a delete may take long, too
_ASK_S = 0.05  # between two looks at a claim
_TICK_S = 1.0  # times of the protocol are in whole seconds, so an age may be so much off
_KEPT = "kept-s"  # metadata: when a thumbnail was needed again, in seconds since 1970 by the server's clock
_AT_ONCE = 16  # calls to the server
_PAGE = 1_000  # names of one call, as many as the protocol allows
_ATTEMPTS = 3  # of a call that fails on the way, and of a put that races with a delete
_HTTP_UNAUTHORIZED, _HTTP_FORBIDDEN, _HTTP_NOT_FOUND, _HTTP_CONFLICT, _HTTP_PRECONDITION = 401, 403, 404, 409, 412
_HTTP_TOO_MANY, _HTTP_ERROR = 429, 500

_SILENCE = (BotoConnectionError, HTTPClientError, IncompleteReadError, TimeoutError)
_SILENT = {
    ReadTimeoutError: "has the call, and does not answer",
    ConnectTimeoutError: "does not take the connection",
    EndpointConnectionError: "cannot be reached",
    ConnectionClosedError: "ends the connection",
}
_FAILURES = (BotoCoreError, ClientError, TimeoutError)

_KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_FORM = "give s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION; all but the bucket may be left out"
_UNKNOWN_KEY = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"})
_REDIRECTS = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "301", "IllegalLocationConstraintException"}
)
_RIGHTS = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Address:
    """Where a bucket is.

    Attributes:
        bucket: Its name.
        prefix: What the keys of all objects begin with, empty or with a slash at its end.
        endpoint: ``https://host:port`` of a server other than Amazon's; None for that of the environment.
        region: Region of the bucket; None for that of the environment.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, address: str) -> S3Address:
        """Read ``s3://bucket[/prefix][?endpoint=https://host:port&region=…]``.

        Raises:
            BadAddress: It is not such an address, or has a key in it.

        Example:
            >>> S3Address.parse("s3://photos/shop?region=eu-central-1").prefix
            'shop/'
        """
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        endpoint = options.get("endpoint")
        if "@" in address:
            raise _bad(address, reason=f"a key does not belong in an address; set {_KEYS} instead")
        if parts.scheme != "s3" or not parts.netloc or ":" in parts.netloc or parts.fragment:
            raise _bad(address, reason=_FORM)
        if strange := sorted(options.keys() - {"endpoint", "region"}):
            raise _bad(address, reason=f"{strange[0]!r} is no option; {_FORM}")
        if endpoint is not None and not _is_endpoint(endpoint):
            raise _bad(address, reason="the endpoint is no https://HOST:PORT")
        path = parts.path.strip("/")
        return cls(
            bucket=parts.netloc,
            prefix=f"{path}/" if path else "",
            endpoint=endpoint,
            region=options.get("region"),
        )


class S3Bucket:
    """The ``Bucket`` of an S3 address. Threads may share it.

    The key of an object is the prefix and the name of the thumbnail. An object is written by one call, so it is
    there whole or not at all, and never with other content.

    Ages are by the server's clock. A thumbnail that is needed again gets the time as metadata, but only if it is
    older than ``renew_after_s``, so that an index that is run again copies little. So it may have been needed that
    much later than its object says; ages are told, and files deleted, as if it had been.

    Args:
        address: See ``S3Address.parse``. The key is read from the environment, or from where else Amazon's clients
            look for it.
        renew_after_s: Age from which a thumbnail that is needed again is renewed.
        call_s: Seconds that a call may take, with its repetitions.

    Raises:
        BadAddress: The address cannot be read.
        WorkspaceUnusable: The server knows no such bucket or key, or refuses to list it.
        MediaAway: The server does not answer.
    """

    def __init__(
        self, address: str, *, renew_after_s: float = UNUSED_PHOTO_AGE_S / 2, call_s: float = SERVER_CALL_S
    ) -> None:
        self._address = S3Address.parse(address)
        self.name = redacted(address)
        self._renew_after_s, self._call_s = renew_after_s, call_s
        self._is_open = False
        self._away_since: float | None = None
        self._probing = Lock()
        self._calls = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sartor-s3")
        self._batches = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sartor-s3-batch")
        try:
            self._client = _client(self._address, call_s)
        except (BotoCoreError, ValueError) as error:
            raise self._understood(error) from error
        self._called(partial(self._page, "", limit=1))
        self._is_open = True

    def claim(self, workspace_id: str) -> str:
        """Note whose thumbnails these are, unless that is noted already; returns who is noted.

        Raises:
            MediaAway: The server does not answer.
        """
        body = workspace_id.encode()
        key = self._address.prefix + OWNER
        call = partial(self._create, key, Body=body, ContentType="text/plain")
        if self._called(call):
            return workspace_id
        noted = self._called(partial(self._body, key))
        return workspace_id if noted is None else noted.decode(errors="replace")

    def put_all(self, contents: Mapping[str, bytes]) -> None:
        """Write files, some at once; of those that are there already, only the age begins anew.

        Raises:
            MediaAway: The server does not answer; what it took stays, and the rest can be put again.
            WorkspaceUnusable: It refuses a file.
        """
        self._all(partial(self._put, name, content) for name, content in contents.items())

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        return self._called(partial(self._body, self._key(name)))

    def keep_all(self, names: Iterable[str]) -> set[str]:
        """Those of the names that have a file; their age begins anew."""
        names = list(names)
        return {
            name
            for name, kept in zip(names, self._all(partial(self._keep, name) for name in names), strict=True)
            if kept
        }

    def age_s(self, name: str) -> float:
        """Seconds since a file may have been put or kept last; infinity if there is none."""
        head = self._called(partial(self._head, name))
        return math.inf if head is None else max(0.0, _age_s(head) - self._renew_after_s)

    def names(self) -> Iterator[str]:
        """Names of all files, sorted."""
        last = ""
        while page := self._called(partial(self._page, last)):
            for key in page:
                name = key.removeprefix(self._address.prefix)
                if "/" not in name and name != OWNER:
                    yield name
            last = page[-1]

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        """Delete a file that was put or kept at least so many seconds ago; returns whether it is gone.

        A file that another process is deleting just now is not gone.
        """
        return self._called(partial(self._delete, name, min_age_s))

    def remove_leftovers(self, *, min_age_s: float) -> int:
        """Delete the claims of killed processes that are at least so old; returns how many.

        Nothing is ever half-written: a thumbnail is written by one call, not in parts.
        """
        claims = self._called(partial(self._page, "", _CLAIMS))
        return sum(self._called(partial(self._delete_claim, key, max(min_age_s, _CLAIM_S))) for key in claims)

    # Calls, which may run in any thread

    def _put(self, name: str, content: bytes) -> None:
        headers = {
            "Body": content,
            "ContentType": _CONTENT_TYPES[name.rpartition(".")[2]],
            "CacheControl": CACHE_CONTROL,
        }
        for _ in range(_ATTEMPTS):  # another process may delete it just when this one finds it
            if self._create(self._key(name), **headers) or self._keep(name):
                return
        raise MediaAway(self.name, reason=f"{name} comes and goes")

    def _create(self, key: str, **headers: Any) -> bool:
        """Write an object unless there is one; of several writers, one wins."""
        try:
            self._client.put_object(Bucket=self._address.bucket, Key=key, IfNoneMatch="*", **headers)
        except ClientError as error:
            if _status(error) not in {_HTTP_PRECONDITION, _HTTP_CONFLICT}:
                raise
            return False
        return True

    def _keep(self, name: str) -> bool:
        head = self._head(name)
        if head is None:
            return False
        if _age_s(head) + _TICK_S < self._renew_after_s:
            return True
        return self._renew(name, now=_date(head)) and self._stays(name)

    def _renew(self, name: str, *, now: datetime) -> bool:
        """Note when a thumbnail was needed; returns whether it is there."""
        bucket, key = self._address.bucket, self._key(name)
        try:
            self._client.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource={"Bucket": bucket, "Key": key},
                MetadataDirective="REPLACE",  # only so may an object be copied onto itself
                Metadata={_KEPT: str(int(now.timestamp()))},  # versitygw leaves LastModified as it is
                ContentType=_CONTENT_TYPES[name.rpartition(".")[2]],
                CacheControl=CACHE_CONTROL,
            )
        except ClientError as error:
            if not _is_missing(error):
                raise
            return False
        return True

    def _stays(self, name: str) -> bool:
        """Whether a thumbnail that was renewed is there, once no process is deleting it that saw its old age."""
        deadline_s = time.monotonic() + self._call_s / 2
        while (claim := self._head(_CLAIMS + name)) is not None and _age_s(claim) < _CLAIM_S:
            if time.monotonic() > deadline_s:
                raise MediaAway(self.name, reason=f"another process has been deleting {name} for long")
            time.sleep(_ASK_S)
        return self._head(name) is not None

    def _head(self, name: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._client.head_object(Bucket=self._address.bucket, Key=self._key(name))
        except ClientError as error:
            if not _is_missing(error):
                raise
            return None
        return head

    def _body(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._address.bucket, Key=key)
        except ClientError as error:
            if not _is_missing(error):
                raise
            return None
        with answer["Body"] as stream:
            content: bytes = stream.read()
        return content

    def _page(self, last: str, within: str = "", *, limit: int | None = None) -> list[str]:
        options = {"StartAfter": last} if last else {}
        page = self._client.list_objects_v2(
            Bucket=self._address.bucket, Prefix=self._address.prefix + within, MaxKeys=limit or _PAGE, **options
        )
        return [entry["Key"] for entry in page.get("Contents", ())]

    def _delete(self, name: str, min_age_s: float) -> bool:
        if min_age_s <= 0:
            self._client.delete_object(Bucket=self._address.bucket, Key=self._key(name))
            return True
        if not self._is_older(name, min_age_s):
            return self._head(name) is None
        claim = self._key(_CLAIMS + name)
        started_s = time.monotonic()
        if not self._create(claim):
            self._delete_claim(claim, _CLAIM_S)  # so that the next sweep can
            return False
        try:
            is_old = self._is_older(name, min_age_s)
            if is_old and time.monotonic() - started_s < _CLAIM_S / _HESITATION:
                self._client.delete_object(Bucket=self._address.bucket, Key=self._key(name))
        finally:
            self._client.delete_object(Bucket=self._address.bucket, Key=claim)
        return self._head(name) is None

    def _is_older(self, name: str, min_age_s: float) -> bool:
        head = self._head(name)
        return head is not None and _age_s(head) - _TICK_S >= min_age_s + self._renew_after_s

    def _delete_claim(self, key: str, min_age_s: float) -> bool:
        head = self._head(key.removeprefix(self._address.prefix))
        if head is None or _age_s(head) < min_age_s:
            return False
        self._client.delete_object(Bucket=self._address.bucket, Key=key)
        return True

    def _key(self, name: str) -> str:
        return self._address.prefix + name

    # Deadlines and errors

    def _called(self, call: Callable[[], T]) -> T:
        """Make a call within its deadline; while the server is away, one call waits for it and the others fail."""
        is_probing = self._away_since is not None
        if is_probing and not self._probing.acquire(blocking=False):
            raise MediaAway(self.name, reason="it did not a moment ago")
        try:
            answer = self._calls.submit(call).result(self._call_s)
        except _FAILURES as error:
            raise self._understood(error) from error
        finally:
            if is_probing:
                self._probing.release()
        self._is_there()
        return answer

    def _all(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """Make calls, some at once; the first that fails ends all."""
        futures = [self._batches.submit(call) for call in calls]
        if not futures:
            return []
        done, waiting = wait(
            futures, timeout=self._call_s * math.ceil(len(futures) / _AT_ONCE), return_when=FIRST_EXCEPTION
        )
        for future in waiting:
            future.cancel()
        try:
            for future in done:
                future.result()
            if waiting:
                raise TimeoutError
        except _FAILURES as error:
            raise self._understood(error) from error
        self._is_there()
        return [future.result() for future in futures]

    def _understood(self, error: Exception) -> SartorError:
        """The driver's error in Sartor's words."""
        if isinstance(error, ClientError) and _status(error) < _HTTP_ERROR and _status(error) != _HTTP_TOO_MANY:
            return WorkspaceUnusable(self.name, reason=_refusal(error))
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            return WorkspaceUnusable(self.name, reason=f"it needs a key; set {_KEYS}")
        if isinstance(error, SSLError):
            return WorkspaceUnusable(self.name, reason=self._of_tls(error))
        if not isinstance(error, (*_SILENCE, ClientError)):
            return WorkspaceUnusable(self.name, reason=_sentence(error))
        reason = self._of_silence(error)
        if self._is_open and self._away_since is None:
            self._away_since = time.monotonic()
            logger.warning("media away: media=%s reason=%s", self.name, reason)
        return MediaAway(self.name, reason=reason)

    def _is_there(self) -> None:
        since = self._away_since
        if since is not None:
            self._away_since = None
            logger.warning("media back: media=%s away_s=%.1f", self.name, time.monotonic() - since)

    def _of_tls(self, error: SSLError) -> str:
        return (
            f"no TLS with {self._server()} ({_sentence(error.kwargs.get('error', error))}); "
            "write endpoint=http://… for a server without TLS, and set AWS_CA_BUNDLE=FILE for a CA of its own"
        )

    def _of_silence(self, error: Exception) -> str:
        server = self._server()
        if isinstance(error, ClientError):
            return f"{server} answers {_status(error)} {_code(error)}"
        if isinstance(error, TimeoutError):
            return f"{server} took longer than {self._call_s:g} s"
        if isinstance(error, ConnectionClosedError) and server.startswith("http://"):
            return f"{server} ends the connection; where it asks for TLS, the endpoint begins with https://"
        for kind, reason in _SILENT.items():
            if isinstance(error, kind):
                return f"{server} {reason}"
        return f"{server}: {_sentence(error)}"

    def _server(self) -> str:
        return str(self._client.meta.endpoint_url)


def _client(address: S3Address, call_s: float) -> Any:
    # The variables are those of all of Amazon's clients; boto3 itself does not read AWS_REGION.
    environment = os.environ
    endpoint = address.endpoint or environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    session = boto3.session.Session()
    region = address.region or environment.get("AWS_REGION") or session.region_name or "us-east-1"
    config = Config(
        connect_timeout=min(SERVER_CONNECT_S, call_s),
        read_timeout=call_s / 2,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=2 * _AT_ONCE,
        s3={"addressing_style": "path" if endpoint else "auto"},  # other servers have no host for each bucket
        request_checksum_calculation="when_required",  # other servers refuse the checksums of newer clients
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=endpoint, region_name=region, config=config)


def _bad(address: str, *, reason: str) -> BadAddress:
    return BadAddress(address, setting="media", reason=reason)


def _is_endpoint(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    try:
        parts.port  # noqa: B018 - raises
    except ValueError:
        return False
    extra = parts.path.strip("/") or parts.query or parts.fragment
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not extra


def _date(head: Mapping[str, Any]) -> datetime:
    """The time of an answer by the server's clock."""
    date = head["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def _age_s(head: Mapping[str, Any]) -> float:
    """Seconds since an object was written or renewed, by the server's clock, to a second."""
    written: datetime = head["LastModified"]
    kept = str(head.get("Metadata", {}).get(_KEPT, ""))
    newest_s = max(written.timestamp(), float(kept) if kept.isdecimal() else 0.0)
    return max(0.0, _date(head).timestamp() - newest_s)


def _is_missing(error: ClientError) -> bool:
    return _status(error) == _HTTP_NOT_FOUND and _code(error) != "NoSuchBucket"


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refusal(error: ClientError) -> str:
    """Why a server refused a call, and what to do about it."""
    code, status = _code(error), _status(error)
    if code == "NoSuchBucket":
        return "there is no such bucket; make it, or check SARTOR_MEDIA"
    if code in _UNKNOWN_KEY:
        return f"the server does not know this key ({code}); check {_KEYS}"
    if code == "RequestTimeTooSkewed":
        return "the clock of this host is wrong (RequestTimeTooSkewed); set it by NTP"
    if code in _REDIRECTS:
        return "the bucket is in another region; name it in SARTOR_MEDIA, as in s3://BUCKET?region=eu-central-1"
    if status in {_HTTP_UNAUTHORIZED, _HTTP_FORBIDDEN}:
        return f"the key may not do this; it needs {_RIGHTS.get(error.operation_name, error.operation_name)}"
    return f"{error.operation_name}: {_sentence(error.response.get('Error', {}).get('Message') or code)}"


def _sentence(error: object) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
