"""The connection to Amazon S3, or to a server that speaks its protocol: address, client, deadlines and errors.

``s3`` keeps thumbnails and uploaded sources by it, ``s3_files`` reads sources.
"""

from __future__ import annotations

import logging
import math
import os
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
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

from sartor.errors import BadAddress, MediaAway, SartorError, SourceNotFetched, WorkspaceUnusable, redacted
from sartor.limits import SERVER_CALL_S, SERVER_CONNECT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

logger = logging.getLogger(__name__)

AT_ONCE = 16  # calls to the server
ATTEMPTS = 3  # of a call that fails on the way, and of a put that races with a delete
PART_BYTES = 8 << 20  # of a large object, by one call; the protocol allows 10,000 parts
PAGE = 1_000  # names of one call, as many as the protocol allows
_QUEUE = 64  # pieces of 256 KiB that wait for the disk
_HTTP_UNAUTHORIZED, _HTTP_FORBIDDEN, _HTTP_NOT_FOUND = 401, 403, 404
_HTTP_TOO_MANY, _HTTP_ERROR = 429, 500

_SILENCE = (BotoConnectionError, HTTPClientError, IncompleteReadError, TimeoutError)
_SILENT = {
    ReadTimeoutError: "has the call, and does not answer",
    ConnectTimeoutError: "does not take the connection",
    EndpointConnectionError: "cannot be reached",
    ConnectionClosedError: "ends the connection",
}
FAILURES = (BotoCoreError, ClientError, TimeoutError)

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
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
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
    def parse(cls, address: str, *, setting: str = "media") -> S3Address:
        """Read ``s3://bucket[/prefix][?endpoint=https://host:port&region=…]``.

        Args:
            address: The address.
            setting: What it is given as, for messages.

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
            raise BadAddress(
                address, setting=setting, reason=f"a key does not belong in an address; set {_KEYS} instead"
            )
        if parts.scheme != "s3" or not parts.netloc or ":" in parts.netloc or parts.fragment:
            raise BadAddress(address, setting=setting, reason=_FORM)
        if strange := sorted(options.keys() - {"endpoint", "region"}):
            raise BadAddress(address, setting=setting, reason=f"{strange[0]!r} is no option; {_FORM}")
        if endpoint is not None and not _is_endpoint(endpoint):
            raise BadAddress(address, setting=setting, reason="the endpoint is no https://HOST:PORT")
        path = parts.path.strip("/")
        return cls(
            bucket=parts.netloc,
            prefix=f"{path}/" if path else "",
            endpoint=endpoint,
            region=options.get("region"),
        )

    def below(self, prefix: str) -> str:
        """The address, as text, of what is below this one."""
        options = {"endpoint": self.endpoint, "region": self.region}
        query = urlencode({name: value for name, value in options.items() if value is not None}, safe=":/")
        return f"s3://{self.bucket}/{self.prefix}{prefix}{f'?{query}' if query else ''}"


class S3Connection:
    """A bucket, or what is below a prefix of it. Threads may share it.

    Args:
        address: See ``S3Address.parse``. The key is read from the environment, or from where else Amazon's clients
            look for it.
        setting: What names the bucket: ``media``, or ``source`` for what is only read.
        call_s: Seconds that a call may take, with its repetitions.

    Attributes:
        name: What messages call it, without options.
        client: Amazon's client.

    Raises:
        BadAddress: The address cannot be read.
        WorkspaceUnusable: The key or the settings of the client cannot be used; ``SourceNotFetched`` of a source.
    """

    def __init__(self, address: str, *, setting: str = "media", call_s: float = SERVER_CALL_S) -> None:
        self.address = S3Address.parse(address, setting=setting)
        self.name = redacted(address)
        self.is_open = False
        self._setting, self._call_s = setting, call_s
        self._away_since: float | None = None
        self._probing = Lock()
        self._calls = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sartor-s3")
        self._batches = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sartor-s3-batch")
        try:
            self.client = _client(self.address, call_s)
        except (BotoCoreError, ValueError) as error:
            raise self.understood(error) from error

    def called(self, call: Callable[[], T]) -> T:
        """Make a call within its deadline; while the server is away, one call waits for it and the others fail."""
        is_probing = self._away_since is not None
        if is_probing and not self._probing.acquire(blocking=False):
            raise MediaAway(self.name, reason="it did not a moment ago")
        try:
            answer = self._calls.submit(call).result(self._call_s)
        except FAILURES as error:
            raise self.understood(error) from error
        finally:
            if is_probing:
                self._probing.release()
        self._is_there()
        return answer

    def all(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """Make calls, some at once; the first that fails ends all."""
        futures = [self._batches.submit(call) for call in calls]
        if not futures:
            return []
        done, waiting = wait(
            futures, timeout=self._call_s * math.ceil(len(futures) / AT_ONCE), return_when=FIRST_EXCEPTION
        )
        for future in waiting:
            future.cancel()
        try:
            for future in done:
                future.result()
            if waiting:
                raise TimeoutError
        except FAILURES as error:
            raise self.understood(error) from error
        self._is_there()
        return [future.result() for future in futures]

    def understood(self, error: Exception) -> SartorError:
        """The driver's error in Sartor's words."""
        error = getattr(error, "last_exception", error)  # of a transfer in parts
        if isinstance(error, ClientError) and status(error) < _HTTP_ERROR and status(error) != _HTTP_TOO_MANY:
            return self._refused(self._refusal(error))
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            return self._refused(f"it needs a key; set {_KEYS}")
        if isinstance(error, SSLError):
            return self._refused(self._of_tls(error))
        if not isinstance(error, (*_SILENCE, ClientError)):
            return self._refused(sentence(error))
        reason = self._of_silence(error)
        if self._setting != "media":
            return SourceNotFetched(self.name, reason=f"{reason}; try again when the server is back")
        if self.is_open and self._away_since is None:
            self._away_since = time.monotonic()
            logger.warning("media away: media=%s reason=%s", self.name, reason)
        return MediaAway(self.name, reason=reason)

    def _refused(self, reason: str) -> SartorError:
        if self._setting != "media":
            return SourceNotFetched(self.name, reason=reason)
        return WorkspaceUnusable(self.name, reason=reason)

    def _is_there(self) -> None:
        since = self._away_since
        if since is not None:
            self._away_since = None
            logger.warning("media back: media=%s away_s=%.1f", self.name, time.monotonic() - since)

    def _refusal(self, error: ClientError) -> str:
        """Why a server refused a call, and what to do about it."""
        error_code, error_status = code(error), status(error)
        named = "SARTOR_MEDIA" if self._setting == "media" else "the address"
        if error_code == "NoSuchBucket":
            return f"there is no such bucket; make it, or check {named}"
        if error_code in _UNKNOWN_KEY:
            return f"the server does not know this key ({error_code}); check {_KEYS}"
        if error_code == "RequestTimeTooSkewed":
            return "the clock of this host is wrong (RequestTimeTooSkewed); set it by NTP"
        if error_code in _REDIRECTS:
            return f"the bucket is in another region; name it in {named}, as in s3://BUCKET?region=eu-central-1"
        if error_status in {_HTTP_UNAUTHORIZED, _HTTP_FORBIDDEN}:
            right = _RIGHTS.get(error.operation_name, error.operation_name)
            return f"the key may not do this; it needs {right}"
        return f"{error.operation_name}: {sentence(error.response.get('Error', {}).get('Message') or error_code)}"

    def _of_tls(self, error: SSLError) -> str:
        return (
            f"no TLS with {self._server()} ({sentence(error.kwargs.get('error', error))}); "
            "write endpoint=http://… for a server without TLS, and set AWS_CA_BUNDLE=FILE for a CA of its own"
        )

    def _of_silence(self, error: Exception) -> str:
        server = self._server()
        if isinstance(error, ClientError):
            return f"{server} answers {status(error)} {code(error)}"
        if isinstance(error, TimeoutError):
            return f"{server} took longer than {self._call_s:g} s"
        if isinstance(error, ConnectionClosedError) and server.startswith("http://"):
            return f"{server} ends the connection; where it asks for TLS, the endpoint begins with https://"
        for kind, reason in _SILENT.items():
            if isinstance(error, kind):
                return f"{server} {reason}"
        return f"{server}: {sentence(error)}"

    def _server(self) -> str:
        return str(self.client.meta.endpoint_url)


def _client(address: S3Address, call_s: float) -> Any:
    # The variables are those of all of Amazon's clients; boto3 itself does not read AWS_REGION.
    environment = os.environ
    endpoint = address.endpoint or environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    session = boto3.session.Session()
    region = address.region or environment.get("AWS_REGION") or session.region_name or "us-east-1"
    config = Config(
        connect_timeout=min(SERVER_CONNECT_S, call_s),
        read_timeout=call_s / 2,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=2 * AT_ONCE,
        s3={"addressing_style": "path" if endpoint else "auto"},  # other servers have no host for each bucket
        request_checksum_calculation="when_required",  # other servers refuse the checksums of newer clients
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=endpoint, region_name=region, config=config)


def _is_endpoint(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    try:
        parts.port  # noqa: B018 - raises
    except ValueError:
        return False
    extra = parts.path.strip("/") or parts.query or parts.fragment
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not extra


def transfer_config() -> TransferConfig:
    """How large objects are fetched and uploaded: parts beside each other, within less than 200 MB of memory."""
    return TransferConfig(
        multipart_threshold=PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_concurrency=AT_ONCE,
        num_download_attempts=ATTEMPTS,
        max_io_queue=_QUEUE,
        preferred_transfer_client="classic",  # the other one does not ask for a version
    )


def is_missing(error: ClientError) -> bool:
    """Whether an error says that there is no such object; a missing bucket is another matter."""
    return status(error) == _HTTP_NOT_FOUND and code(error) != "NoSuchBucket"


def status(error: ClientError) -> int:
    """The HTTP status of an error; 0 if it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code(error: ClientError) -> str:
    """The protocol's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def sentence(error: object) -> str:
    """The text of an error on one line, without the period at its end."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
