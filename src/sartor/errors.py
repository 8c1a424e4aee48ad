"""Every error that Sartor raises on purpose, in one family. ``except sartor.SartorError`` catches all of them.

    SartorError
    ├── SourceError
    │   ├── SourceNotFound
    │   ├── SourceNotFetched
    │   ├── UnrecognizedSource
    │   ├── UnsafeArchive
    │   ├── UnreadableTable
    │   ├── BadColumns
    │   ├── SourceEmpty
    │   ├── SourceShrunk
    │   ├── UnsafePickle
    │   └── UnreadableVectors
    ├── PhotoRejected
    │   └── PhotoUnavailable
    ├── ModelError
    │   ├── NoModel
    │   ├── ModelNotChosen
    │   ├── ModelNotFound
    │   ├── ModelExists
    │   ├── ModelBundled
    │   ├── ModelMismatch
    │   ├── ModelDamaged
    │   ├── ModelReplaced
    │   ├── UnusableModel
    │   ├── WeightsUnavailable
    │   ├── NoRegions
    │   ├── NoNetwork
    │   ├── NoTextTower
    │   ├── VectorsDisagree
    │   ├── PromotionRefused
    │   ├── NothingToCompare
    │   └── NoPreviousModel
    ├── WorkspaceError
    │   ├── WorkspaceBusy
    │   ├── WriteConflict
    │   ├── BadSettings
    │   ├── BadAddress
    │   ├── UnusableSynonyms
    │   ├── StoreAway
    │   ├── MediaAway
    │   ├── IndexAway
    │   ├── IndexNotShared
    │   ├── IndexUnusable
    │   ├── IndexerReplaced
    │   ├── WorkspaceTooNew
    │   ├── WorkspaceUnusable
    │   ├── WorkspaceReadOnly
    │   ├── BackupFailed
    │   └── CopyFailed
    ├── QueryError
    │   ├── EmptyCatalog
    │   ├── EmptyQuery
    │   ├── ProductNotFound
    │   ├── UnknownAttribute
    │   ├── UnknownValue
    │   ├── MixedCurrencies
    │   ├── UnknownColor
    │   ├── BadDial
    │   ├── BadWeight
    │   ├── BadBox
    │   ├── NotInALook
    │   ├── PiecesClash
    │   ├── UnknownSlot
    │   ├── BadFilter
    │   ├── BadCursor
    │   ├── BadEvent
    │   ├── NoIdentity
    │   ├── BadVocabulary
    │   ├── PersonNotFound
    │   └── VisitorTaken
    ├── TrainingError
    │   ├── UnusableRecipe
    │   ├── NothingToLearn
    │   ├── UnusableCheckpoint
    │   └── OutputTaken
    ├── ServiceError
    │   ├── NeedsKey
    │   ├── AddressTaken
    │   ├── WorkerFailed
    │   ├── KeyNotFound
    │   ├── ServiceUnreachable
    │   └── ServiceRefused
    ├── EvaluationError
    │   ├── NothingToEvaluate
    │   └── UnusableLabelMap
    ├── ExportError
    │   ├── ExportTaken
    │   ├── ExportMisnamed
    │   └── ExportFailed
    ├── UnusableSetting
    ├── ClusterError
    │   ├── ClusterAway
    │   ├── ClusterDiffers
    │   ├── ClusterBusy
    │   ├── ClusterFailed
    │   └── SourceNotShared
    ├── MissingExtra
    ├── AllocatorInTheWay
    └── DeviceUnavailable

Each class builds its own message: what went wrong, with which value, and what to do next.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class SartorError(Exception):
    """Base of all errors that Sartor raises on purpose; its text is one line for a person."""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _did_you_mean(text: str, known: Sequence[str], *, cutoff: float = 0.5) -> str:
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(text.lower(), by_lower, n=1, cutoff=cutoff)
    return f"did you mean {by_lower[close[0]]!r}? " if close else ""


def redacted(address: str) -> str:
    """An address without its password and its options, to be shown.

    Example:
        >>> from sartor.errors import redacted
        >>> redacted("mongodb://ann:secret@db.example:27017/shop?authSource=admin")
        'mongodb://ann:***@db.example:27017/shop'
    """
    scheme, separator, rest = address.partition("://")
    if not separator:  # no address, but there may be a password in it all the same
        scheme, rest = "", address
    login, at, hosts = rest.rpartition("@")
    shown = hosts.partition("?")[0]
    if at:
        shown = f"{re.split('[:/?]', login, maxsplit=1)[0]}:***@{shown}"
    return f"{scheme}{separator}{shown}"


class UnusableSetting(SartorError, ValueError):
    """The value of a setting cannot be used."""

    def __init__(self, setting: str, *, value: object, reason: str, option: str = "") -> None:
        shown = redacted(value) if isinstance(value, str) else value
        named = f"{setting} ({option})" if option else setting
        super().__init__(f"{named} cannot be {shown!r}: {reason}")


class MissingExtra(SartorError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, *, extra: str | None) -> None:
        way = (
            f"install it with: pip install {package}"
            if extra is None
            else f"in a checkout of Sartor, install it with: pip install '.[{extra}]'"
        )
        super().__init__(f"this needs the package {package}; {way}")


def require_extra(extra: str, *packages: str) -> None:
    """Check that the packages of an extra are installed.

    Raises:
        MissingExtra: One is not.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, extra=extra)


def require_package(package: str) -> None:
    """Check that a package is installed that belongs to no extra.

    Raises:
        MissingExtra: It is not.
    """
    if find_spec(package) is None:
        raise MissingExtra(package, extra=None)


class AllocatorInTheWay(SartorError):
    """OpenVINO would end the process, because of a preloaded allocator."""

    def __init__(self, allocator: str) -> None:
        super().__init__(
            f"OpenVINO aborts with {allocator}, which this process has in place of the C library's allocator; "
            "unset LD_PRELOAD, or use ONNX Runtime: pip install 'sartor[onnxruntime]' and SARTOR_RUNTIME=auto"
        )


class DeviceUnavailable(SartorError):
    """The chosen device cannot be used with what is installed."""

    def __init__(self, device: str, *, available: Sequence[str]) -> None:
        super().__init__(f"there is no device {device!r} here; there are: {_listed(available)}")


class ClusterError(SartorError):
    """A Ray cluster cannot embed photos; what was committed until then stays."""


class ClusterAway(ClusterError):
    """Nobody answers at the address of a cluster, or it takes no orders from this process."""

    def __init__(self, address: str, *, reason: str) -> None:
        super().__init__(
            f"the Ray cluster at {address} cannot be reached ({reason}); check that it runs, or leave out --ray"
        )


class ClusterDiffers(ClusterError):
    """The hosts of a cluster have other packages than this process."""

    def __init__(self, address: str, *, reason: str) -> None:
        super().__init__(
            f"the Ray cluster at {address} cannot work for this process ({reason}); install the same Python, Ray "
            "and Sartor on all hosts"
        )


class ClusterBusy(ClusterError):
    """A cluster has no processor for us."""

    def __init__(self, address: str, *, processors: int) -> None:
        taken = f"all its {processors:,} processors are taken" if processors else "it has no processor"
        super().__init__(
            f"the Ray cluster at {address} has no room ({taken}); wait until what runs there has ended, or add "
            "a host"
        )


class ClusterFailed(ClusterError):
    """A worker cannot do what it was asked for."""

    def __init__(self, where: str, *, reason: str) -> None:
        super().__init__(
            f"a worker of the Ray cluster failed on {where}: {reason}; the same command continues where this one "
            "stopped"
        )


class SourceNotShared(ClusterError):
    """A host of a cluster cannot read what this host can."""

    def __init__(self, host: str, photo: str, *, reason: str) -> None:
        super().__init__(
            f"the host {host} of the Ray cluster cannot read {photo} ({reason}), and this one can; put the source "
            "where all hosts see it under the same path, or leave out --ray"
        )


class SourceError(SartorError):
    """A source of products cannot be read."""


class SourceNotFound(SourceError):
    """The path of a source does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no file or folder {path}; check the path")


class SourceNotFetched(SourceError):
    """A source on a server cannot be had; the catalog is as it was."""

    def __init__(self, source: str, *, reason: str) -> None:
        super().__init__(f"{source} cannot be fetched: {reason}")


class UnrecognizedSource(SourceError):
    """A source fits no reader."""

    def __init__(self, path: Path | str, *, looked_for: Sequence[str]) -> None:
        super().__init__(f"{path} is no source that Sartor can read; looked for: {'; '.join(looked_for)}")


class UnsafeArchive(SourceError):
    """A ZIP archive is broken, or holds an entry that must not be read."""

    def __init__(self, archive: Path | str, *, reason: str, entry: str | None = None) -> None:
        where = f"entry {entry!r} " if entry is not None else ""
        super().__init__(
            f"{archive} is refused: {where}{reason}; make the archive again from plain files, or index a folder"
        )


class UnreadableTable(SourceError):
    """A CSV, JSON Lines or feed file cannot be understood."""

    def __init__(self, table: str, *, reason: str, of: str = "products") -> None:
        super().__init__(f"{table} cannot be read as a table of {of}: {reason}")
        self.reason = reason


class BadColumns(SourceError):
    """A mapping of columns cannot be understood."""

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(f"the columns {text!r} cannot be understood: {reason}")


class SourceEmpty(SourceError):
    """A source has no product; nothing was changed."""

    def __init__(self, source: str, *, known: int) -> None:
        before = f" (the catalog has {known:,} from it)" if known else ""
        super().__init__(f"{source} has no product{before}; nothing was changed. Look whether its export failed")


class SourceShrunk(SourceError):
    """A source says much less than the catalog knows of it; nothing was changed.

    Attributes:
        losses: What would be lost, a sentence each.
    """

    def __init__(self, source: str, *, losses: Sequence[str]) -> None:
        super().__init__(
            f"{source} says much less than before; nothing was changed: {'; '.join(losses)}. "
            "If that is meant, use --allow-shrink (allow_shrink=True in Python, allow_shrink=true in a request)"
        )
        self.losses = tuple(losses)


class UnsafePickle(SourceError):
    """A pickle is broken, or holds more than lists, strings, numbers and arrays."""

    def __init__(self, file: Path, *, reason: str) -> None:
        super().__init__(
            f"{file} is refused and nothing of it was run: it {reason}; only pickles of lists, strings, numbers "
            "and NumPy arrays are read"
        )


class UnreadableVectors(SourceError):
    """A file does not hold vectors with their names."""

    def __init__(self, file: Path, *, reason: str) -> None:
        super().__init__(f"{file} cannot be imported: {reason}")


class PhotoRejected(SartorError):
    """A photo cannot be used; an ingest reports it and goes on.

    Attributes:
        photo: Name of the photo, as its source calls it.
        reason: Why, in a few words.
    """

    def __init__(self, photo: str, *, reason: str) -> None:
        super().__init__(f"{photo} cannot be used: {reason}")
        self.photo = photo
        self.reason = reason


class PhotoUnavailable(PhotoRejected):
    """A photo cannot be fetched by its URL now; it may be a little later.

    Attributes:
        retry_after_s: Seconds that the server asks to wait; None if it does not say.
    """

    def __init__(self, photo: str, *, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(photo, reason=reason)
        self.retry_after_s = retry_after_s


class WorkspaceError(SartorError):
    """A workspace cannot be used."""


class WorkspaceBusy(WorkspaceError):
    """Another process writes to the workspace, for longer than a write waits."""

    def __init__(self, home: Path | str, *, waited_s: float) -> None:
        super().__init__(
            f"another process has been writing to {home} for {waited_s:.0f} s; nothing was changed, try again"
        )


class WriteConflict(WorkspaceError):
    """Another process changed a product between the read and the write that depends on it."""

    def __init__(self, product_ids: Sequence[str] = (), *, photos: Sequence[str] = ()) -> None:
        what = f"products {_listed(product_ids)}" if product_ids else f"photos {_listed(photos)}"
        super().__init__(f"another process changed {what} meanwhile; nothing was written, try again")
        self.product_ids = tuple(product_ids)
        self.photos = tuple(photos)


class BadSettings(WorkspaceError):
    """The settings file of a workspace cannot be used."""

    def __init__(self, file: Path, *, reason: str) -> None:
        super().__init__(f"{file} cannot be used: {reason}")


class UnusableSynonyms(WorkspaceError):
    """A file is no table of synonyms."""

    def __init__(self, file: Path, *, reason: str) -> None:
        super().__init__(
            f"{file} cannot be used as synonyms: {reason}; write a group a line, such as: sneakers, trainers"
        )


class BadAddress(WorkspaceError):
    """A setting names no engine that Sartor knows how to open, or not with the others."""

    def __init__(self, address: str, *, setting: str, reason: str) -> None:
        super().__init__(f"{setting}={redacted(address)!r} cannot be used: {reason}")


class StoreAway(WorkspaceError):
    """The server that holds the workspace does not answer.

    Reads go on from what the process has. A transaction that was under way is committed whole or not at all.
    """

    def __init__(self, store: str, *, reason: str) -> None:
        super().__init__(
            f"{store} does not answer ({reason}); try again when the server is back, or check SARTOR_STORE"
        )


class IndexAway(WorkspaceError):
    """The engine that holds the index does not answer; what is in the store is safe."""

    def __init__(self, index: str, *, reason: str) -> None:
        super().__init__(
            f"{index} does not answer ({reason}); try again when the engine is back, or check SARTOR_INDEX"
        )


class IndexNotShared(WorkspaceError):
    """There is nothing for an indexer to do."""

    def __init__(self, home: Path | str) -> None:
        super().__init__(
            f"each process of {home} writes an index of its own; an indexer writes one that all share, "
            "such as SARTOR_INDEX=opensearch://localhost:9200"
        )


class IndexUnusable(WorkspaceError):
    """The engine of the index answers, and cannot be used."""

    def __init__(self, index: str, *, reason: str) -> None:
        super().__init__(f"{index} cannot be used as an index: {reason}")


class IndexerReplaced(WorkspaceError):
    """Another indexer writes the index by now, so that this one has to stop."""

    def __init__(self, index: str, *, term: int, newer: int | None) -> None:
        by = "another one took it over" if newer is None else f"an indexer of term {newer} writes it"
        super().__init__(
            f"this indexer, of term {term}, no longer writes {index}: {by}; it writes nothing more, "
            "take the lease again before the next write"
        )


class MediaAway(WorkspaceError):
    """The server that holds the thumbnails does not answer; those that this host has seen are still shown."""

    def __init__(self, media: str, *, reason: str) -> None:
        super().__init__(
            f"{media} does not answer ({reason}); try again when the server is back, or check SARTOR_MEDIA"
        )


class WorkspaceTooNew(WorkspaceError):
    """A newer Sartor wrote this workspace."""

    def __init__(self, home: Path | str, *, found: int, supported: int) -> None:
        super().__init__(
            f"{home} was written by a newer Sartor (schema {found}, this one knows {supported}); "
            "in a newer checkout, upgrade with: pip install ."
        )


class WorkspaceUnusable(WorkspaceError):
    """The directory cannot hold a workspace, or what it holds is damaged."""

    def __init__(self, home: Path | str, *, reason: str) -> None:
        super().__init__(f"{home} cannot be used as a workspace: {reason}")


class WorkspaceReadOnly(WorkspaceError):
    """The directory of the workspace cannot be written, and something was to be."""

    def __init__(self, home: Path | str) -> None:
        super().__init__(f"{home} is read-only: its directory cannot be written, so nothing was changed")


class BackupFailed(WorkspaceError):
    """A workspace cannot be backed up."""

    def __init__(self, home: Path | str, *, reason: str) -> None:
        super().__init__(f"{home} is not backed up: {reason}")


class CopyFailed(WorkspaceError):
    """A workspace cannot be copied to another store, or the copy differs."""

    def __init__(self, target: str, *, reason: str) -> None:
        super().__init__(f"the workspace is not copied to {target}: {reason}")


class ModelError(SartorError):
    """A model cannot be used."""


class NoModel(ModelError):
    """A workspace has no model yet."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"{home} has no model yet; add one with: sartor models add FILE.onnx --id NAME --scaling tf, "
            "or: sartor models export mobilenet_v2"
        )


class ModelNotChosen(ModelError):
    """There are several models, and nothing says which one to use."""

    def __init__(self, *, known: Sequence[str]) -> None:
        super().__init__(f"there are several models ({', '.join(known)}); choose one with --model ID")


class ModelNotFound(ModelError):
    """No model has this id."""

    def __init__(self, model: str, *, known: Sequence[str]) -> None:
        super().__init__(
            f"there is no model {model!r} here (there are: {_listed(known)}); see: sartor models list"
        )


class ModelExists(ModelError):
    """Another model already has this id."""

    def __init__(self, model: str) -> None:
        super().__init__(f"there is already another model {model!r}; choose another --id")


class ModelBundled(ModelError):
    """A model that comes with Sartor has this id."""

    def __init__(self, model: str) -> None:
        super().__init__(f"the model {model!r} comes with Sartor and is there already; choose another --id")


class ModelMismatch(ModelError):
    """The catalog is embedded with another model than the query."""

    def __init__(self, *, index: Sequence[str], query: str) -> None:
        held = ", ".join(index)
        super().__init__(
            f"this catalog holds {held} embeddings, the query is {query}; "
            f"add --model {index[0]}, or run: sartor index SOURCE --model {query}"
        )


class ModelDamaged(ModelError):
    """A model's file is not the one that its card describes."""

    def __init__(self, file: Path, *, expected: str, actual: str) -> None:
        super().__init__(
            f"{file} is not the file its card describes (SHA-256 {actual[:12]}…, expected {expected[:12]}…); "
            "add the model again"
        )


class ModelReplaced(ModelError):
    """A model has the id of the one that embedded the catalog, and is another one."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the catalog was embedded with another network named {model!r}; "
            "add this one under another --id, or index into a new --home"
        )


class UnusableModel(ModelError):
    """A file is not a network that Sartor can run."""

    def __init__(self, file: Path | str, *, reason: str) -> None:
        super().__init__(f"{file} cannot be used as a model: {reason}")


class NoTextTower(ModelError):
    """A model cannot embed words; ``sartor train-text`` teaches it."""

    def __init__(self, model_id: str) -> None:
        super().__init__(f"the model {model_id} embeds photos only; teach it words with: sartor train-text")


class WeightsUnavailable(ModelError):
    """Pre-trained weights could not be fetched, and no file was given."""

    def __init__(self, network: str, *, reason: str) -> None:
        super().__init__(
            f"the official weights of {network} could not be fetched ({reason}); connect to the internet once, "
            f"or give a Keras weights file: sartor models export {network} --weights FILE.weights.h5"
        )


class NoRegions(ModelError):
    """A model cannot tell which regions of a photo count."""

    def __init__(self, model: str) -> None:
        super().__init__(f"the model {model!r} gives no feature maps, so it cannot show regions; use sartor-v1")


class NoNetwork(ModelError):
    """A model is only the vectors that were imported, and there is no network to embed a photo with."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"{model} has only imported vectors and cannot embed a photo; ask by --product, "
            "or import with --model ID"
        )


class VectorsDisagree(ModelError):
    """Imported vectors are not what a model gives for the same photos."""

    def __init__(self, model: str, *, mean: float, least: float, photos: int) -> None:
        super().__init__(
            f"these vectors are not those of {model}: embedded again, {photos} photos agree to a mean cosine of "
            f"{mean:.3f} (lowest {least:.3f}), so they come from another preprocessing, pooling or weights; "
            "import them with --id NAME instead, or with --force where you know better"
        )


class PromotionRefused(ModelError):
    """A model is no better than the workspace's default on the products that are held out."""

    def __init__(self, model: str, *, default: str, figures: str) -> None:
        super().__init__(
            f"{model} is not shown to be better than {default} on this catalog: {figures}; {default} stays the "
            f"default, --force promotes {model} anyway"
        )


class NothingToCompare(ModelError):
    """Two models cannot be compared on this catalog."""

    def __init__(self, model: str, *, reason: str) -> None:
        super().__init__(f"{model} cannot be compared on this catalog: {reason}; --force promotes it anyway")


class NoPreviousModel(ModelError):
    """No promotion can be undone."""

    def __init__(self, default: str | None) -> None:
        stays = "has no default model yet" if default is None else f"stays with {default}"
        super().__init__(f"no model was replaced by a promotion that could be undone; the workspace {stays}")


_SHOWN_VALUES = 20  # of an attribute, in a message


class QueryError(SartorError):
    """A query cannot be answered."""


class EmptyCatalog(QueryError):
    """There is nothing to recommend yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} holds no photos yet; fill it with: sartor index SOURCE")


class EmptyQuery(QueryError):
    """A query has no photo, product, liked product, color or word."""

    def __init__(self, *, wants: str = "photo, product or color") -> None:
        super().__init__(f"the query is empty; give at least one {wants}")


class ProductNotFound(QueryError):
    """No product has this id, or it has no photo to compare."""

    def __init__(self, product_id: str, *, reason: str = "is not in the catalog") -> None:
        super().__init__(f"product {product_id!r} {reason}; see what there is with: sartor info")


class UnknownAttribute(QueryError):
    """A filter or a facet names an attribute that no product has."""

    def __init__(self, attribute: str, *, known: Sequence[str]) -> None:
        hint = _did_you_mean(attribute, known)
        there_are = (
            f"there are: {_listed(known)}" if known else "the catalog tells none, and its model predicts none"
        )
        super().__init__(f"no product has an attribute {attribute!r}; {hint}{there_are}")


class UnknownValue(QueryError):
    """A filter asks for a value that no product has."""

    def __init__(self, attribute: str, value: str, *, known: Sequence[str]) -> None:
        hint = _did_you_mean(value, known)
        values = _listed(known[:_SHOWN_VALUES]) + (", …" if len(known) > _SHOWN_VALUES else "")
        super().__init__(f"no product has {attribute} {value!r}; {hint}there are: {values}")


class MixedCurrencies(QueryError):
    """Prices in several currencies would be compared as if they were one."""

    def __init__(self, what: str, *, currencies: Mapping[str, int]) -> None:
        counts = ", ".join(f"{currency} ({count})" for currency, count in currencies.items())
        example = next(iter(currencies))
        super().__init__(
            f"{what} would mix currencies; there are prices in {counts}: add the filter price:currency={example}, "
            f"or name the currency in the filter, as in price:{example}=10..50"
        )


class UnknownColor(QueryError):
    """A text is not a color."""

    def __init__(self, text: str, *, known: Sequence[str]) -> None:
        hint = _did_you_mean(text.replace(" ", ""), known, cutoff=0.6)
        super().__init__(f"{text!r} is no color; {hint}write #rrggbb, or a name of CSS such as navy")


class BadDial(QueryError):
    """The weight of a feature is not from 0 to 1, or all of them are 0."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(
            f"these dials cannot be used: {reason}; each goes from 0 to 1, and at least one is above 0"
        )


class BadWeight(QueryError):
    """The weight of a part of a query is not above 0."""

    def __init__(self, weight: float) -> None:
        super().__init__(f"a part of a query cannot weigh {weight:g}; give a number above 0")


class BadBox(QueryError):
    """A region is not inside its photo."""

    def __init__(self, box: Sequence[float]) -> None:
        numbers = ",".join(f"{number:g}" for number in box)
        super().__init__(
            f"the box {numbers} does not lie in the photo; give left, top, width and height as shares from 0 to 1"
        )


class NotInALook(QueryError):
    """A look cannot be made for a product that is not worn or carried."""

    def __init__(self, product_id: str, *, kind: str, slots: Sequence[str]) -> None:
        what = f"is {kind!r}" if kind else "says no kind"
        super().__init__(
            f"product {product_id!r} {what}, which belongs in no look; give one of: {', '.join(slots)}"
        )


class PiecesClash(QueryError):
    """Two products cannot be in one look."""

    def __init__(self, one: str, other: str, *, reason: str) -> None:
        super().__init__(f"products {one!r} and {other!r} cannot be in one look: {reason}; leave one of them out")


class UnknownSlot(QueryError):
    """No slot of a look has this name."""

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        super().__init__(f"{name!r} is no slot of a look; {_did_you_mean(name, known)}there are: {_listed(known)}")


class BadFilter(QueryError):
    """A filter cannot be understood."""

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(
            f"the filter {text!r} cannot be understood: {reason}; "
            "write key=value, key=a,b for any of several, or key=10..50 for a range; "
            'a text with commas, dots or equals signs in quotes: key="a, b"'
        )


class BadCursor(QueryError):
    """A cursor does not belong to this listing."""

    def __init__(self) -> None:
        super().__init__(
            "this cursor is not from this listing; give the `next` of the page before, or start from the first "
            "page"
        )


class BadVocabulary(QueryError):
    """A column or a type of an event file is mapped to something that there is not, or two to the same."""

    def __init__(self, theirs: str, ours: str, *, known: Sequence[str], reason: str = "") -> None:
        super().__init__(f"{theirs!r} cannot be {ours!r}; {reason or f'there are: {_listed(known)}'}")


class PersonNotFound(QueryError):
    """Nothing is held about a person."""

    def __init__(self, person_id: str, *, kind: str) -> None:
        super().__init__(f"nothing is held about the {kind} {person_id!r}; check the id")


class VisitorTaken(QueryError):
    """A visitor was merged into another user before."""

    def __init__(self, visitor_id: str, *, user_id: str) -> None:
        super().__init__(
            f"visitor {visitor_id!r} was merged into another user than {user_id!r} before; "
            "give the browser a new visitor id when somebody logs out"
        )


class BadEvent(QueryError):
    """An event cannot be taken.

    Attributes:
        reason: Why, in a few words.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the event cannot be taken: {reason}")
        self.reason = reason


class NoIdentity(QueryError):
    """A text is what programs write for a missing value, and nobody's id."""

    def __init__(self, text: str, *, kind: str) -> None:
        super().__init__(
            f"{text!r} is no id of a {kind}, but what a script writes for a missing one; leave the {kind} out "
            "where there is none"
        )


class ExportError(SartorError):
    """A workspace cannot be exported this way."""


class ExportTaken(ExportError):
    """The path of an export is taken."""

    def __init__(self, path: Path, *, reason: str, by_force: bool) -> None:
        remedy = "replace it with --force, or choose another path" if by_force else "choose another path"
        super().__init__(f"{path} {reason}; {remedy}")


class ExportMisnamed(ExportError):
    """The path or the options of an export do not fit its format."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"{path} cannot be that export: {reason}")


class ExportFailed(ExportError):
    """An export could not be written."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"{path} cannot be written ({reason}); nothing of it was left behind")


class EvaluationError(SartorError):
    """An evaluation cannot be done."""


class NothingToEvaluate(EvaluationError):
    """There are no queries, or nothing is relevant to them."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"there is nothing to evaluate: {reason}")


class UnusableLabelMap(EvaluationError):
    """A file does not say which labels of the queries mean which of the gallery."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"{path} is no map of labels: {reason}; see docs/reference/street-to-shop.md")


class TrainingError(SartorError):
    """A training cannot be done."""


class UnusableRecipe(TrainingError):
    """A file is not a recipe of a training."""

    def __init__(self, path: Path | None, *, reason: str) -> None:
        what = "this is no recipe" if path is None else f"{path} is no recipe"
        super().__init__(f"{what}: {reason}; see docs/how-to/train.md")


class NothingToLearn(TrainingError):
    """The sources do not hold what a training needs."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"there is nothing to learn here: {reason}")


class UnusableCheckpoint(TrainingError):
    """A training cannot be resumed."""

    def __init__(self, path: Path, *, reason: str) -> None:
        super().__init__(f"cannot go on from {path}: {reason}; leave --resume out, or choose another --output")


class OutputTaken(TrainingError):
    """The output of a training already holds one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} already holds a training; go on with --resume, or choose another --output")


class ServiceError(SartorError):
    """The service cannot start."""


class NeedsKey(ServiceError):
    """An address that others reach needs an API key."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} can be reached from other machines, and the workspace has no API key; make one first with: "
            "sartor keys create --scope admin"
        )


class AddressTaken(ServiceError):
    """A service or a studio cannot listen on its address; ``options`` choose another."""

    def __init__(self, host: str, port: int, *, reason: str, options: str = "--host or --port") -> None:
        super().__init__(f"cannot listen on {host} port {port} ({reason}); choose another with {options}")


class WorkerFailed(ServiceError):
    """A worker process of the service cannot start; the text is the worker's reason."""


class KeyNotFound(ServiceError):
    """No API key has this id."""

    def __init__(self, key_id: str, *, known: Sequence[str]) -> None:
        super().__init__(f"there is no API key {key_id!r}; there are: {_listed(known)}")


class ServiceUnreachable(ServiceError):
    """A service that is asked over HTTP does not answer."""

    def __init__(self, address: str, *, reason: str) -> None:
        super().__init__(f"no Sartor answers at {address} ({reason}); start one with: sartor serve")


class ServiceRefused(ServiceError):
    """A service that is asked over HTTP answers with a problem."""

    def __init__(self, address: str, *, detail: str) -> None:
        super().__init__(f"{address} says: {detail}")
