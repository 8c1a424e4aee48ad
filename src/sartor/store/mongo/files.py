"""Files in GridFS: of one name there is one file at most, and it is there whole or not at all.

Source: https://www.mongodb.com/docs/manual/core/gridfs/.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from bson import Int64, ObjectId
from gridfs import GridFSBucket
from gridfs.errors import CorruptGridFile, FileExists, NoFile
from pymongo.errors import BulkWriteError, DuplicateKeyError

from sartor.limits import SERVER_CALL_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sartor.store.mongo.database import Document, MongoDatabase

_DUPLICATE = 11000  # the code of a key that a unique index has already
_PAGE = 10_000  # names of one call
_AT_ONCE = 128  # small files of one call: about 4 MB
_CHUNK_BYTES = 255 * 1024  # as all drivers have it


class MongoFiles:
    """The files of one bucket, by name. Threads may share it.

    A file's content never changes. Its chunks are written before the document that names it, and that document is
    deleted before them. So what a killed process leaves are chunks of no file, which ``remove_leftovers`` deletes.

    Args:
        database: The workspace's database.
        bucket: Name of the bucket, ``media`` or ``models``.
        call_s: Seconds that a call may take.
    """

    def __init__(self, database: MongoDatabase, bucket: str, *, call_s: float = SERVER_CALL_S) -> None:
        self._database, self._bucket, self._call_s = database, bucket, call_s
        self.name = f"GridFS in {database.shown}"
        self._files = database.collection(f"{bucket}.files")
        self._chunks = database.collection(f"{bucket}.chunks")

    def put(self, name: str, content: bytes) -> bool:
        """Write a small file in two calls; returns False, and changes nothing, if there is one of this name.

        Raises:
            StoreAway: The server does not answer in time.
        """
        file_id = ObjectId()
        with self._database.calling(self._call_s):
            if chunks := _chunks(file_id, content):
                self._chunks.insert_many(chunks)
            try:
                self._files.insert_one(_file(file_id, name, len(content)))
            except DuplicateKeyError:
                self._chunks.delete_many({"files_id": file_id})
                return False
        return True

    def upload(self, name: str, content: BinaryIO) -> bool:
        """Write a file of any size from an open one; returns False, and changes nothing, if there is one."""
        with self._database.calling(self._call_s) as database:
            if self._files.find_one({"filename": name}, {"_id": 1}) is not None:
                return False
            bucket = GridFSBucket(database, self._bucket, chunk_size_bytes=_CHUNK_BYTES)
            stream = bucket.open_upload_stream(name, metadata={"kept_s": time.time()})
            try:
                stream.write(content)
                stream.close()
            except FileExists:  # another process was faster
                stream.abort()
                return False
            except BaseException:
                stream.abort()
                raise
        return True

    def put_all(self, contents: Mapping[str, bytes]) -> None:
        """Write small files in few calls; of those that are there already, only the age begins anew.

        Raises:
            StoreAway: The server does not answer in time; what it took stays, and the rest can be put again.
        """
        names = list(contents)
        for begin in range(0, len(names), _AT_ONCE):
            some = names[begin : begin + _AT_ONCE]
            with self._database.calling(self._call_s):
                query = {"filename": {"$in": some}}
                there = {file["filename"] for file in self._files.find(query, {"_id": 0, "filename": 1})}
                if there:
                    self._files.update_many(query, {"$set": {"metadata.kept_s": time.time()}})
                ids = {name: ObjectId() for name in some if name not in there}
                if not ids:
                    continue
                chunks = [chunk for name, file_id in ids.items() for chunk in _chunks(file_id, contents[name])]
                self._chunks.insert_many(chunks, ordered=False)
                files = [_file(file_id, name, len(contents[name])) for name, file_id in ids.items()]
                try:
                    self._files.insert_many(files, ordered=False)
                except BulkWriteError as error:
                    errors = error.details["writeErrors"]
                    if any(each["code"] != _DUPLICATE for each in errors):
                        raise
                    # Another process was faster with these.
                    taken = [each["op"]["_id"] for each in errors]
                    self._chunks.delete_many({"files_id": {"$in": taken}})

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        with self._database.calling(self._call_s) as database:
            try:
                return GridFSBucket(database, self._bucket).open_download_stream_by_name(name).read()
            except (NoFile, CorruptGridFile):  # the second if it is deleted meanwhile
                return None

    def download(self, name: str, target: BinaryIO) -> bool:
        """Write the bytes of a file to an open one; returns whether there is such a file."""
        with self._database.calling(self._call_s) as database:
            try:
                GridFSBucket(database, self._bucket).download_to_stream_by_name(name, target)
            except (NoFile, CorruptGridFile):
                return False
        return True

    def keep_all(self, names: Iterable[str]) -> set[str]:
        """Those of the names that have a file, in few calls; their age begins anew."""
        names = list(names)
        kept: set[str] = set()
        for begin in range(0, len(names), _PAGE):
            query = {"filename": {"$in": names[begin : begin + _PAGE]}}
            with self._database.calling(self._call_s):
                self._files.update_many(query, {"$set": {"metadata.kept_s": time.time()}})
                kept.update(file["filename"] for file in self._files.find(query, {"_id": 0, "filename": 1}))
        return kept

    def age_s(self, name: str) -> float:
        """Seconds since a file was put or kept last, by the clocks of the hosts; infinity if there is none."""
        with self._database.calling(self._call_s):
            found = self._files.find_one({"filename": name}, {"metadata": 1})
        return math.inf if found is None else time.time() - float(found["metadata"]["kept_s"])

    def names(self) -> Iterator[str]:
        """Names of all files, sorted."""
        last = ""
        while True:
            with self._database.calling(self._call_s):
                query = {"filename": {"$gt": last}}
                page = list(self._files.find(query, {"_id": 0, "filename": 1}).sort("filename").limit(_PAGE))
            if not page:
                return
            yield from (file["filename"] for file in page)
            last = page[-1]["filename"]

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        """Delete a file that was put or kept at least so many seconds ago; returns whether it is gone."""
        query: Document = {"filename": name}
        if min_age_s > 0:
            query["metadata.kept_s"] = {"$lte": time.time() - min_age_s}
        with self._database.calling(self._call_s):
            deleted = self._files.find_one_and_delete(query, {"_id": 1})
            if deleted is None:
                return self._files.find_one({"filename": name}, {"_id": 1}) is None
            self._chunks.delete_many({"files_id": deleted["_id"]})
        return True

    def remove_leftovers(self, *, min_age_s: float) -> int:
        """Delete the chunks of no file that are at least so old; returns of how many files they were."""
        removed, last = 0, ObjectId("0" * 24)
        while True:
            with self._database.calling(self._call_s):
                query = {"files_id": {"$gt": last}, "n": 0}
                first = self._chunks.find(query, {"_id": 0, "files_id": 1}).sort("files_id").limit(_PAGE)
                ids: list[ObjectId] = [chunk["files_id"] for chunk in first]
                if not ids:
                    return removed
                page = {"_id": {"$gt": last, "$lte": ids[-1]}}
                there = {file["_id"] for file in self._files.find(page, {"_id": 1})}
                old = time.time() - min_age_s
                gone = [each for each in ids if each not in there and each.generation_time.timestamp() <= old]
                if gone:
                    self._chunks.delete_many({"files_id": {"$in": gone}})
            removed, last = removed + len(gone), ids[-1]


def _chunks(file_id: ObjectId, content: bytes) -> list[Document]:
    return [
        {"files_id": file_id, "n": rank, "data": content[start : start + _CHUNK_BYTES]}
        for rank, start in enumerate(range(0, len(content), _CHUNK_BYTES))
    ]


def _file(file_id: ObjectId, name: str, length: int) -> Document:
    return {
        "_id": file_id,
        "filename": name,
        "length": Int64(length),
        "chunkSize": _CHUNK_BYTES,
        "uploadDate": datetime.now(UTC),
        "metadata": {"kept_s": time.time()},
    }
