"""A workspace's database on a MongoDB server: the connection, deadlines, transactions, errors, the schema.

Every call has a deadline, so that nothing waits for a server that is away. Every error of the driver becomes one
of Sartor's, in one line that says what to do next and never shows the password.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pymongo
from bson.errors import BSONError
from pymongo import ASCENDING, IndexModel, MongoClient, ReadPreference, UpdateOne
from pymongo.errors import (
    CollectionInvalid,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri

from sartor.errors import SartorError, StoreAway, WorkspaceBusy, WorkspaceTooNew, WorkspaceUnusable, redacted
from sartor.limits import SERVER_CALL_S, SERVER_CONNECT_S, SERVER_FILE_S
from sartor.store.mongo.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection
    from pymongo.database import Database

Document: TypeAlias = dict[str, Any]
T = TypeVar("T")

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 2

# Every collection with its indexes beside the one on _id. All are made while they are empty.
COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "counters": (),
    "products": (IndexModel("revision"), IndexModel("photos.sha256"), IndexModel("source")),
    "deletions": (IndexModel("revision"),),
    "photos": (IndexModel("models"),),
    "dropped_photos": (IndexModel("drop"),),
    "attribute_names": (IndexModel("revision"),),
    "settings": (),
    "leases": (),
    "api_keys": (IndexModel("digest", unique=True),),
    "events": (
        IndexModel([("lane", ASCENDING), ("is_impression", ASCENDING), ("number", ASCENDING)]),
        IndexModel([("person", ASCENDING), ("at_s", ASCENDING), ("arrived_us", ASCENDING)]),
        IndexModel("product"),
        IndexModel("basket_number", sparse=True),
    ),
    "event_people": (IndexModel("number", unique=True), IndexModel("user", sparse=True)),
    "event_baskets": (IndexModel("number", unique=True),),
    "event_lanes": (),
    # GridFS: https://www.mongodb.com/docs/manual/core/gridfs/
    "media.files": (
        IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)]),
        IndexModel("filename", unique=True),
    ),
    "media.chunks": (IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True),),
    "models.files": (
        IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)]),
        IndexModel("filename", unique=True),
    ),
    "models.chunks": (IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True),),
}

_MIGRATED = 256  # photos at once
_WORKSPACE = "workspace"  # a collection with one document: the id of the workspace and its schema version
_MIN_WIRE_VERSION = 17  # MongoDB 6.0
_UNAUTHORIZED, _AUTHENTICATION_FAILED, _NAMESPACE_EXISTS = 13, 18, 48
_TRANSIENT = "TransientTransactionError"
_SUSPECT_S = 0.5  # after so long, perhaps it is a killed process that holds others up
_OF_TLS = re.compile("SSL|TLS|connection closed|Connection reset|No servers found yet")
_NO_TRANSACTIONS = (
    "it has no transactions; start it as a replica set, of one node if need be: "
    "mongod --replSet rs0, then rs.initiate() in mongosh"
)


class MongoDatabase:
    """One workspace's database. May be used from several threads.

    Reads see what a majority of the servers has; a write returns when a majority has it on disk.

    Args:
        address: ``mongodb://user:password@host/name`` or ``mongodb+srv://…``; the name is the database's.
        sessions: A directory for all processes of this host that use the workspace. With it, the transaction of a
            process that was killed holds others up for a second; without it, for MongoDB's minute.
        call_s: Seconds that a call has, a transaction with all its repetitions included.

    Attributes:
        shown: The address without its password.
        workspace_id: A random id that the workspace got when it was made.

    Raises:
        WorkspaceUnusable: The address, the password, or the server cannot be used.
        WorkspaceTooNew: A newer Sartor wrote the database.
        StoreAway: The server does not answer.
    """

    def __init__(self, address: str, *, sessions: Path | None = None, call_s: float = SERVER_CALL_S) -> None:
        self.shown = redacted(address)
        self._call_s = call_s
        self._away_since: float | None = None
        self._sessions: Sessions | None = None
        self._lost: list[Mapping[str, Any]] = []  # sessions whose transaction may still be open on the server
        self.workspace_id = ""  # until it is open
        name, self._secret = self._parsed(address)
        self._client: MongoClient[Document] = self._connected(address)
        self._database = self._client.get_database(name)
        try:
            with self.calling(SERVER_CONNECT_S):
                self._require_transactions()
            workspace_id = self._opened()
            if sessions is not None:
                self._sessions = Sessions(sessions)
            with self.calling():
                self._end_lost_sessions()
        except BaseException:
            self._client.close()
            raise
        self.workspace_id = workspace_id

    @property
    def away_since(self) -> float | None:
        """Since when the server has not answered, in seconds since 1970 (UTC); None while it does."""
        return self._away_since

    @contextmanager
    def calling(self, timeout_s: float | None = None) -> Iterator[Database[Document]]:
        """The database for one or several calls that have a deadline together.

        Args:
            timeout_s: Seconds; by default those that a call has.

        Raises:
            StoreAway: The server does not answer in time.
            WorkspaceUnusable: It answers with an error.
            DuplicateKeyError: A unique index has the key already; the caller knows what that means.
        """
        try:
            if self._away_since is not None or self._lost:  # so that what follows does not wait for the deadline
                with pymongo.timeout(SERVER_CONNECT_S):
                    self._client.admin.command("ping")
                    self._end_own_sessions()
            with pymongo.timeout(self._call_s if timeout_s is None else timeout_s):
                yield self._database
        except (DuplicateKeyError, SartorError):
            raise
        except (PyMongoError, BSONError) as error:
            raise self._understood(error) from error
        self._is_there()

    def transaction(self, call: Callable[[ClientSession], T]) -> T:
        """Run a function in a transaction, again after a conflict with another one, and commit.

        Args:
            call: Makes the calls, each with this session. It may be run several times.

        Raises:
            StoreAway: The server does not answer in time. All of the transaction is committed, or nothing.
            WorkspaceBusy: Others write the same all the time.
        """
        started_s, conflict = time.monotonic(), False

        def attempt(session: ClientSession) -> T:
            nonlocal conflict
            if conflict and time.monotonic() - started_s > _SUSPECT_S:
                self._end_lost_sessions()
            try:
                return call(session)
            except PyMongoError as error:
                conflict = _is_conflict(error) or (conflict and not isinstance(error, ConnectionFailure))
                raise

        with self.calling(), self._client.start_session() as session:
            if self._sessions is not None:
                self._sessions.note(session.session_id)
            try:
                return session.with_transaction(
                    attempt, read_concern=ReadConcern("snapshot"), read_preference=ReadPreference.PRIMARY
                )
            except PyMongoError as error:
                if conflict and error.timeout and not isinstance(error, ConnectionFailure):
                    raise WorkspaceBusy(self.shown, waited_s=self._call_s) from error
                if isinstance(error, ConnectionFailure) or error.timeout:
                    self._lost.append(session.session_id)
                raise

    def collection(self, name: str) -> Collection[Document]:
        """A collection, to be used within ``calling`` or a transaction."""
        return self._database[name]

    def counters(self, name: str) -> Document:
        """A document of counters, to be read within ``calling``.

        Raises:
            WorkspaceUnusable: It is gone.
        """
        counters = self._database["counters"].find_one({"_id": name})
        if counters is None:
            raise self._unusable(reason="the database was emptied under an open workspace; open it again")
        return counters

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        if self._sessions is not None:
            self._sessions.close()

    def _parsed(self, address: str) -> tuple[str, str]:
        """The name of the database, and the password."""
        if not address.startswith(("mongodb://", "mongodb+srv://")):
            raise self._unusable(reason="an address begins with mongodb:// or mongodb+srv://; check SARTOR_STORE")
        try:
            parts = parse_uri(address, warn=False)
        except (PyMongoError, ValueError, OSError) as error:
            raise self._unusable(reason=f"{_sentence(error)}; check SARTOR_STORE") from error
        if not parts["database"]:
            raise self._unusable(
                reason=f"the address names no database; write it at the end, such as {self.shown.rstrip('/')}/shop"
            )
        return parts["database"], parts["password"] or ""

    def _connected(self, address: str) -> MongoClient[Document]:
        wait_ms = int(1000 * SERVER_CONNECT_S)
        try:
            return MongoClient(
                address,
                appname="sartor",
                connectTimeoutMS=wait_ms,
                serverSelectionTimeoutMS=wait_ms,
                socketTimeoutMS=int(1000 * self._call_s),
                retryWrites=True,
                retryReads=True,
                w="majority",
                journal=True,
                readConcernLevel="majority",
                readPreference="primary",
            )
        except (PyMongoError, ValueError, OSError) as error:
            raise self._unusable(reason=f"{_sentence(error)}; check SARTOR_STORE") from error

    def _end_own_sessions(self) -> None:
        """End the transactions of this process that it could not end while the server was away."""
        while self._lost:
            try:
                lost = self._lost.pop()
            except IndexError:  # another thread took it
                return
            try:
                self._end([lost])
            except PyMongoError:
                self._lost.append(lost)
                raise

    def _end_lost_sessions(self) -> None:
        """End the transactions of processes that were killed."""
        if self._sessions is not None:
            self._sessions.end_lost(self._end)

    def _end(self, session_ids: Sequence[Mapping[str, Any]]) -> None:
        if session_ids:
            with suppress(OperationFailure):  # they are gone already
                self._client.admin.command("killSessions", list(session_ids))
                logger.info("lost transactions ended: store=%s sessions=%d", self.shown, len(session_ids))

    def _require_transactions(self) -> None:
        hello = self._client.admin.command("hello")
        build = self._client.admin.command("buildInfo")
        if any(name.startswith("ferretdb") for name in build):
            raise self._unusable(reason="it is FerretDB, which has no transactions; use MongoDB 6 or newer")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise self._unusable(reason=_NO_TRANSACTIONS)
        if hello["maxWireVersion"] < _MIN_WIRE_VERSION:
            raise self._unusable(reason=f"it is MongoDB {build['version']}; use MongoDB 6 or newer")

    def _opened(self) -> str:
        """The id of the workspace; it is made, or brought to this version's schema, where that is needed."""
        with self.calling() as database:
            workspace = database[_WORKSPACE].find_one({"_id": _WORKSPACE})
            if workspace is None:
                taken = [name for name in COLLECTIONS if database[name].find_one({}, {"_id": 1}) is not None]
                workspace = database[_WORKSPACE].find_one({"_id": _WORKSPACE})  # perhaps another process made it
                if workspace is None and taken:
                    raise self._unusable(
                        reason=f"its collection {taken[0]} is not Sartor's; name an empty database in the address"
                    )
        if workspace is None:
            workspace = self._made()
        if workspace["schema"] > SCHEMA_VERSION:
            raise WorkspaceTooNew(self.shown, found=workspace["schema"], supported=SCHEMA_VERSION)
        if workspace["schema"] < SCHEMA_VERSION:
            self._migrate()
        return str(workspace["id"])

    def _migrate(self) -> None:
        """Bring a workspace of schema 1 to schema 2, in which a photo also has the names of its models.

        It can be repeated, and several processes may do it at once.
        """
        lacking = {"models": {"$exists": False}}
        while True:
            with self.calling() as database:
                photos = list(database["photos"].find(lacking, {"embeddings": 1}).limit(_MIGRATED))
                if not photos:
                    break
                database["photos"].bulk_write(
                    [
                        UpdateOne({"_id": photo["_id"]}, {"$set": {"models": list(photo["embeddings"])}})
                        for photo in photos
                    ]
                )
        for name in ("photos", "products"):
            with self.calling(SERVER_FILE_S) as database:
                database[name].create_indexes(list(COLLECTIONS[name]))
        with self.calling() as database:
            database[_WORKSPACE].update_one({"_id": _WORKSPACE}, {"$set": {"schema": SCHEMA_VERSION}})
        logger.info("workspace migrated: store=%s schema=%d", self.shown, SCHEMA_VERSION)

    def _made(self) -> Document:
        """Make the collections, and at last the document that says that there is a workspace."""
        for name, indexes in COLLECTIONS.items():
            with self.calling() as database:
                try:
                    database.create_collection(name)
                except CollectionInvalid:
                    pass  # another process makes the same workspace, or was killed while it did
                except OperationFailure as error:
                    if error.code != _NAMESPACE_EXISTS:
                        raise
                if indexes:
                    database[name].create_indexes(list(indexes))
        made = {"id": secrets.token_hex(16), "schema": SCHEMA_VERSION}
        with self.calling() as database:
            database["counters"].update_one(
                {"_id": "catalog"},
                {"$setOnInsert": {"revision": 0, "added": 0, "deletes": 0, "drops": 0, "settings": 0}},
                upsert=True,
            )
            try:
                database[_WORKSPACE].insert_one({"_id": _WORKSPACE, **made})
            except DuplicateKeyError:
                pass
            else:
                logger.info("workspace made: store=%s", self.shown)
            return database[_WORKSPACE].find_one({"_id": _WORKSPACE}) or made

    def _understood(self, error: PyMongoError | BSONError) -> SartorError:
        """The driver's error in Sartor's words."""
        if isinstance(error, (BSONError, DocumentTooLarge)):
            self._is_there()
            return self._unusable(reason=f"it cannot hold this: {self._reason(error)}")
        if isinstance(error, (ConnectionFailure, InvalidOperation)) or error.timeout:
            if self._away_since is None and self.workspace_id:
                self._away_since = time.time()
                logger.warning("store away: store=%s reason=%s", self.shown, self._reason(error))
            return StoreAway(self.shown, reason=self._reason(error))
        self._is_there()
        if _is_conflict(error):
            return WorkspaceBusy(self.shown, waited_s=self._call_s)
        if isinstance(error, OperationFailure):
            if error.code == _AUTHENTICATION_FAILED:
                return self._unusable(reason="it knows no such user and password; check SARTOR_STORE")
            if error.code == _UNAUTHORIZED:
                return self._unusable(
                    reason="the user may not use this database; give it the role readWrite there, "
                    "or name user and password in SARTOR_STORE"
                )
        return self._unusable(reason=self._reason(error))

    def _is_there(self) -> None:
        if self._away_since is not None:
            logger.warning("store back: store=%s away_s=%.1f", self.shown, time.time() - self._away_since)
            self._away_since = None

    def _unusable(self, *, reason: str) -> WorkspaceUnusable:
        return WorkspaceUnusable(self.shown, reason=reason)

    def _reason(self, error: Exception) -> str:
        text = _sentence(error)
        return text.replace(self._secret, "***") if self._secret else text


def _is_conflict(error: PyMongoError) -> bool:
    """Whether another transaction was in the way."""
    return error.has_error_label(_TRANSIENT) and not isinstance(error, ConnectionFailure)


def _sentence(error: Exception) -> str:
    """An error of the driver without the state of its connections, in one line."""
    text = str(error)
    if isinstance(error, OperationFailure) and error.details:
        text = str(error.details.get("errmsg") or text)
    for end in (" (configured timeouts", ", Timeout: ", ", Topology Description", ", full error"):
        text = text.partition(end)[0]
    sentence = " ".join(text.split()).rstrip(".") or type(error).__name__
    if isinstance(error, ServerSelectionTimeoutError) and _OF_TLS.search(sentence):
        sentence += (
            "; where the server asks for TLS, the address needs tls=true, and tlsCAFile=FILE for a CA of its own"
        )
    return sentence
