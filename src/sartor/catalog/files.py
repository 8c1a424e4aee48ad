"""The files of a source, and the photos among them: by name, by stem, and for the rows of a table.

``Files`` is the contract of a folder (here) and of a ZIP archive (``sartor.catalog.archive.ZipFiles``).
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import unicodedata
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from os.path import isabs, join
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import unquote

from sartor.catalog.columns import base_name, is_url, references
from sartor.catalog.formats import texts
from sartor.catalog.source import Case, Findings
from sartor.errors import PhotoRejected, UnreadableTable
from sartor.limits import MAX_PHOTO_BYTES, MAX_PHOTO_NAME_CHARS
from sartor.types import Product, SourcePhoto, SourceProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sartor.catalog.columns import Roles
    from sartor.catalog.formats import Row

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    | {".heic", ".heif", ".hif"}  # without pillow-heif they are rejected, which is better than to skip them
)
_CLUTTER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})

LABEL = "label"  # the attribute that has the name of a folder of photos that are sorted by what they show
_PHOTOS_PER_LABEL = 2
_SPLITS = frozenset({"train", "training", "test", "testing", "validation", "valid", "val", "dev"})

PHOTO_FOLDER = "images"  # beside the table, as Kaggle's sets have it; preferred where names repeat


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a source was fetched from, if what is read is a copy of it.

    Attributes:
        name: What messages call it.
        elsewhere: What reads its photos in a process on another host: a function that can be pickled, and its
            arguments.
        odd_names: Names in it that cannot be those of files, so the copy lacks them.
    """

    name: str
    elsewhere: tuple[Callable[..., Any], tuple[Any, ...]]
    odd_names: Sequence[str] = ()


class Files(Protocol):
    """Files by name; a name is a relative POSIX path such as ``images/1163.jpg``."""

    @property
    def names(self) -> Sequence[str]:
        """Every file that is not hidden, in the source's order."""
        ...

    def locate(self, name: str) -> str | None:
        """The name of a readable file, hidden or not, as in ``names``; None if it does not exist."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a photo; any thread may call this.

        Raises:
            PhotoRejected: It is missing, damaged, or larger than 64 MiB.
        """
        ...

    def open_table(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """The bytes of a table as a stream; an error while reading it becomes UnreadableTable."""
        ...

    def label(self, name: str) -> str:
        """The name of a file in messages."""
        ...


def suffix_of(name: str) -> str:
    """A name's suffix in lower case, with its dot."""
    return posixpath.splitext(name)[1].lower()  # pathlib takes three times as long


def is_photo(name: str) -> bool:
    """Whether a name has the suffix of an image."""
    return suffix_of(name) in PHOTO_SUFFIXES


def photos_in(files: Files) -> Sequence[str]:
    """The photos of a source, in its order."""
    return [name for name in files.names if is_photo(name)]


def without_suffix(name: str) -> str:
    """A photo's name without its suffix; a dot that starts no image suffix stays: ``v2.1`` is ``v2.1``."""
    return name[: name.rindex(".")] if is_photo(name) else name


def is_hidden(name: str) -> bool:
    """Whether any part of a name is hidden, or is clutter of macOS and Windows."""
    return any(part.startswith(".") or part in _CLUTTER for part in name.split("/"))


def too_large(name: str) -> PhotoRejected:
    """The rejection of a photo over the limit."""
    return PhotoRejected(name, reason=f"is larger than {MAX_PHOTO_BYTES // 2**20} MiB")


class FolderFiles:
    """The files below a folder, sorted by name; links to folders are not followed.

    A table may also name files outside the folder, absolute or with ``..``: it is the user's own disk. A table
    that was fetched may not.
    """

    def __init__(
        self,
        root: Path,
        findings: Findings,
        *,
        undecodable: Mapping[str, str] | None = None,
        origin: Origin | None = None,
    ) -> None:
        """``undecodable`` has the names of the disk that are not UTF-8, by their text; a walk finds them."""
        self.root = root
        self._origin = origin
        self._findings = findings
        self._undecodable = dict(undecodable or {})

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """For a process on another host, which reads photos and lists nothing."""
        if self._origin is not None:
            return self._origin.elsewhere
        return _folder_elsewhere, (self.root.absolute(), self._undecodable)

    @cached_property
    def names(self) -> Sequence[str]:
        """Every file that is not hidden, sorted."""
        return sorted(self._walk())

    def locate(self, name: str) -> str | None:
        """The name of a plain file; a path from outside into the folder becomes the name inside."""
        is_outside = name.startswith("..") or _is_absolute(name)
        if self._origin is not None and (is_outside or ".." in name.split("/")):
            return None
        try:
            path = join(self._prefix, self._undecodable.get(name, name))  # noqa: PTH118 - for each row of a table
            if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
                return None
        except (OSError, ValueError):  # a cell of a table may hold anything, such as 300 characters, or a null
            return None
        if not is_outside:
            return name
        resolved = Path(path).parent.resolve() / Path(path).name
        return resolved.relative_to(self._root).as_posix() if resolved.is_relative_to(self._root) else name

    def read(self, name: str) -> bytes:
        """The bytes of a photo."""
        path = self._path(name)
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait forever
                raise PhotoRejected(name, reason="is not a plain file")
            with path.open("rb") as file:
                content = file.read(MAX_PHOTO_BYTES + 1)
        except FileNotFoundError as error:
            raise PhotoRejected(name, reason="is no longer there") from error
        except OSError as error:
            raise PhotoRejected(name, reason=f"cannot be read ({error.strerror})") from error
        if len(content) > MAX_PHOTO_BYTES:
            raise too_large(name)
        return content

    @contextmanager
    def open_table(self, name: str) -> Iterator[IO[bytes]]:
        """The bytes of a table as a stream."""
        if self.locate(name) is None:
            raise UnreadableTable(self.label(name), reason="it is not a plain file")
        try:
            with self._path(name).open("rb") as stream:
                yield stream
        except OSError as error:
            raise UnreadableTable(self.label(name), reason=f"it cannot be read ({error.strerror})") from error

    def label(self, name: str) -> str:
        """The path of a file, from the working directory."""
        if self._origin is None:
            return str(self.root / name)
        origin = self._origin.name.rstrip("/")
        return (
            origin if f"/{origin}".endswith(f"/{name}") else f"{origin}/{name}"
        )  # that of a single file is whole

    @cached_property
    def _root(self) -> Path:
        return self.root.resolve()

    @cached_property
    def _prefix(self) -> str:
        return str(self.root)

    def _path(self, name: str) -> Path:
        return self.root / self._undecodable.get(name, name)

    def _walk(self) -> Iterator[str]:
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in self._entries(folder):
                name = f"{folder}{entry.name}"
                if is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                elif entry.is_dir():
                    self._findings.add(Case.LINKED_FOLDERS, self._readable(name))
                elif entry.is_file() or (entry.is_symlink() and is_photo(name)):  # a broken link is reported later
                    yield self._readable(name)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return list(entries)
        except OSError:
            self._findings.add(Case.CLOSED_FOLDERS, self._readable(folder.rstrip("/")) or str(self.root))
            return []

    def _readable(self, name: str) -> str:
        """The name as storable text; bytes that are not UTF-8 become escapes."""
        if name.isascii():
            return name
        text = os.fsencode(name).decode("utf-8", "backslashreplace")
        if text != name:
            self._undecodable[text] = name
        return text


def _folder_elsewhere(root: Path, undecodable: Mapping[str, str]) -> FolderFiles:
    return FolderFiles(root, Findings(), undecodable=undecodable)


class OnePhoto(FolderFiles):
    """A single photo, in its folder."""

    def __init__(self, path: Path, findings: Findings, *, origin: Origin | None = None) -> None:
        super().__init__(path.parent, findings, origin=origin)
        self._name = path.name

    @cached_property
    def names(self) -> Sequence[str]:
        """The one file."""
        return (self._readable(self._name),)


class FrameFiles(FolderFiles):
    """The photos that a table in memory may name: by a path of this host, or below a folder.

    Args:
        name: What messages call the table.
        findings: Where oddities are counted.
        images: The folder; without it, paths begin at the working directory, and nothing is looked up.
        origin: Where the folder is a copy from; then only what is below it may be named.
    """

    def __init__(
        self, name: str, findings: Findings, *, images: Path | None = None, origin: Origin | None = None
    ) -> None:
        super().__init__(Path() if images is None else images, findings, origin=origin)
        self._name, self._is_listed = name, images is not None

    @cached_property
    def names(self) -> Sequence[str]:
        """Every file of the folder; none of the working directory, which may be a whole disk."""
        return sorted(self._walk()) if self._is_listed else ()

    @contextmanager
    def open_table(self, name: str) -> Iterator[IO[bytes]]:  # noqa: ARG002 - the table is no file
        """An empty stream, as the table is no file."""
        yield io.BytesIO()

    def label(self, name: str) -> str:  # noqa: ARG002 - the table is no file
        """The name of the table."""
        return self._name


class PhotoIndex:
    """Photos of a source by the names that a table may use, regardless of case and Unicode form."""

    def __init__(self, files: Files) -> None:
        self.files = files

    @cached_property
    def _by_stem(self) -> Mapping[str, Sequence[str]]:
        """Names by stem; built when a plain path first fails, because it lists the whole source."""
        by_stem: dict[str, list[str]] = {}
        for name in photos_in(self.files):
            by_stem.setdefault(_key(stem(name)), []).append(name)
        return by_stem

    def photo(self, name: str) -> SourcePhoto:
        """A photo by its name among the files."""
        return SourcePhoto(name=name, read=partial(self.files.read, name))

    def matches(self, reference: str, *, folder: str) -> Sequence[str]:
        """The files that a table in ``folder`` may mean by a path, name or stem; one if it is clear."""
        name = posixpath.normpath(reference if _is_absolute(reference) else posixpath.join(folder, reference))
        located = self.files.locate(name)
        if located is not None:
            return (located,)
        key = _key(_relative(reference))
        named = self._by_stem.get(_key(stem(reference)), ())
        matches = [name for name in named if _is_same_path(key, _key(name.removeprefix(f"{folder}/")))]
        beside = [name for name in matches if posixpath.dirname(name) == posixpath.join(folder, PHOTO_FOLDER)]
        return beside if len(beside) == 1 else matches

    @cached_property
    def _by_number(self) -> Mapping[str, str]:
        """Names of photos whose stem is a number with zeros in front, by the number."""
        numbers = ((each.lstrip("0"), names[0]) for each, names in self._by_stem.items() if each.isdecimal())
        return {number: name for number, name in numbers if stem(name) != number}

    def with_zeros(self, number: str) -> str | None:
        """The photo whose stem is the number with zeros in front; None if there is none."""
        return self._by_number.get(number) if number.isdecimal() else None

    def of_product(self, product_id: str, *, folder: str) -> Sequence[str]:
        """Photos whose stem is a product's id, from one folder: ``images`` beside the table, else the top-most."""
        named = [name for name in self._by_stem.get(_key(product_id), ()) if _nfc(stem(name)) == _nfc(product_id)]
        if len(named) <= 1:
            return named
        beside = posixpath.join(folder, PHOTO_FOLDER)
        folders = sorted(
            {posixpath.dirname(name) for name in named},
            key=lambda candidate: (candidate != beside, candidate.count("/"), candidate),
        )
        return [name for name in named if posixpath.dirname(name) == folders[0]]


def _is_absolute(name: str) -> bool:
    return isabs(name)  # noqa: PTH117 - pathlib takes several times as long, for each row of a table


def stem(name: str) -> str:
    """The last part of a name without an image's suffix."""
    return without_suffix(name.rpartition("/")[2])


def _key(text: str) -> str:
    return _nfc(text).casefold()


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)  # macOS writes names as NFD


def _relative(reference: str) -> str:
    """A reference without ``..`` and root: ``../a/1.jpg`` and ``/a/1.jpg`` are ``a/1.jpg``."""
    return "/".join(part for part in reference.split("/") if part not in {"", ".", ".."})


def _is_same_path(reference: str, name: str) -> bool:
    """Whether one path ends with the other; the name's suffix does not count if the reference has none."""
    if not is_photo(reference):
        name = without_suffix(name)
    return f"/{name}".endswith(f"/{reference}") or f"/{reference}".endswith(f"/{name}")


class PhotoFinder:
    """Finds the photos of the rows of one table, and counts missing ones."""

    def __init__(self, index: PhotoIndex, *, folder: str, findings: Findings) -> None:
        self._index = index
        self._folder = folder
        self._findings = findings

    def photos_of(self, row: Row, roles: Roles) -> tuple[SourcePhoto, ...]:
        """The distinct photos of a row, the main one first."""
        if roles.images or row.photos:
            return tuple({photo.name: photo for photo in self._named(row, roles)}.values())
        names = self._index.of_product(id_of(row, roles), folder=self._folder)
        return tuple(self._index.photo(name) for name in names)

    def names_photo(self, row: Row, roles: Roles) -> bool:
        """Whether a row names a photo, which may be missing, or has one."""
        return bool(row.photos) or next(self._references(row, roles), None) is not None

    def has_local_photo(self, row: Row, roles: Roles) -> bool:
        """Whether a row names a local photo that exists."""
        return any(not is_url(photo.name) for photo in self.photos_of(row, roles))

    def image_stem(self, row: Row, roles: Roles) -> str:
        """The stem of the first image that a row names or has, even if it is missing; empty without any."""
        named = (stem(base_name(reference)) for reference in self._references(row, roles))
        own = (stem(photo.name.replace("\\", "/")) for photos in row.photos.values() for photo in photos)
        return next(chain(named, own), "")

    def _named(self, row: Row, roles: Roles) -> Iterator[SourcePhoto]:
        """The photos that a row names, and those that it has: by its columns of images, then by all others."""
        columns = image_columns(row, roles)
        for column in columns:
            for reference in references(row.cells.get(column), is_file=self._is_file):
                if (photo := self._photo(reference, row)) is not None:
                    yield photo
            yield from row.photos.get(column, ())
        for column, photos in row.photos.items():
            if column not in columns:
                yield from photos

    def _references(self, row: Row, roles: Roles) -> Iterator[str]:
        for column in image_columns(row, roles):
            yield from references(row.cells.get(column), is_file=self._is_file)

    def _is_file(self, reference: str) -> bool:
        return bool(self._index.matches(reference, folder=self._folder))

    def _photo(self, reference: str, row: Row) -> SourcePhoto | None:
        if is_url(reference):
            name = reference[:MAX_PHOTO_NAME_CHARS]
            self._findings.add(Case.IMAGE_URLS, f"{row.location}: {name}")
            return SourcePhoto(name=name, read=partial(_refuse_url, name))
        names = self._index.matches(reference, folder=self._folder)
        if not names and "%" in reference:
            names = self._index.matches(unquote(reference), folder=self._folder)
        if len(names) == 1:
            return self._index.photo(names[0])
        case = Case.IMAGES_AMBIGUOUS if names else Case.IMAGES_NOT_FOUND
        self._findings.add(case, f"{row.location}: {reference[:MAX_PHOTO_NAME_CHARS]}")
        return None


def image_columns(row: Row, roles: Roles) -> Sequence[str]:
    """The columns that name a row's images."""
    if not roles.fallbacks or any(_has_image(row, column) for column in roles.images):
        return roles.images
    return next(((column,) for column in roles.fallbacks if _has_image(row, column)), roles.images)


def id_of(row: Row, roles: Roles) -> str:
    """The id of a row; empty if it has none. A whole number is written without a decimal: 15970.0 is ``15970``."""
    if roles.id is None:
        return ""
    told = row.cells.get(roles.id)
    return str(int(told)) if isinstance(told, float) and told.is_integer() else " ".join(texts(told))


def _has_image(row: Row, column: str) -> bool:
    return bool(texts(row.cells.get(column)) or row.photos.get(column))


def _refuse_url(name: str) -> NoReturn:
    raise PhotoRejected(name, reason="is a URL, not a file")


class PhotoSource:
    """A source whose products are its photos; its kind is ``folder``, ``zip`` or ``photo``."""

    def __init__(self, name: str, kind: str, files: Files, *, photos: Sequence[str], findings: Findings) -> None:
        self.name = name
        self.kind = kind
        self.findings = findings
        self.mapping: Sequence[tuple[str, str]] = ()
        self.product_count = len(photos)
        self._files = files
        self._photos = photos
        self._on_opening = findings.snapshot()

    def __iter__(self) -> Iterator[SourceProduct]:
        self.findings.restore(self._on_opening)
        labels = labels_of(self._photos)
        stems = Counter(map(without_suffix, self._photos))
        names = frozenset(self._photos)
        for name in self._photos:
            product_id = without_suffix(name)
            if stems[product_id] > 1:
                self.findings.add(Case.SAME_STEM, name)
            if stems[product_id] > 1 or product_id in names:
                product_id = name  # beside "a.jpg" and "a.png", "a.jpg.png" is not "a.jpg"
            photo = SourcePhoto(name=name, read=partial(self._files.read, name))
            product = Product(id=product_id, attributes={LABEL: labels[name]} if labels else {})
            yield SourceProduct(product=product, photos=(photo,), is_described=False)


def labels_of(photos: Sequence[str]) -> dict[str, str]:
    """The labels of photos that are sorted into folders by what they show, by photo; empty for other photos.

    Such a set has its photos all at one depth, in several folders with two or more on average.

    Source: https://huggingface.co/docs/datasets/image_dataset#imagefolder

    Example:
        >>> labels_of(["shirt/1.jpg", "shirt/2.jpg", "bag/3.jpg", "bag/4.jpg"])
        {'shirt/1.jpg': 'shirt', 'shirt/2.jpg': 'shirt', 'bag/3.jpg': 'bag', 'bag/4.jpg': 'bag'}
        >>> labels_of(["shirt-1/front.jpg", "shirt-2/front.jpg"]), labels_of(["a.jpg", "more/b.jpg"])
        ({}, {})
    """
    labels = {name: posixpath.basename(posixpath.dirname(name)) for name in photos}
    found = set(labels.values())
    is_sorted = len({name.count("/") for name in photos}) == 1 and len(found) > 1 and not found <= _SPLITS
    return labels if is_sorted and len(photos) >= _PHOTOS_PER_LABEL * len(found) else {}
