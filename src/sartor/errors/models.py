"""Models: choosing, adding, running and promoting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors.base import SartorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


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
        there = ", ".join(known) or "none"
        super().__init__(f"there is no model {model!r} here (there are: {there}); see: sartor models list")


class ModelExists(ModelError):
    """Another model already has this id."""

    def __init__(self, model: str) -> None:
        super().__init__(f"there is already another model {model!r}; choose another --id, or remove it first")


class ModelBundled(ModelError):
    """A model that comes with Sartor has this id."""

    def __init__(self, model: str) -> None:
        super().__init__(f"the model {model!r} comes with Sartor and is there already; choose another --id")


class ModelMismatch(ModelError):
    """A query was embedded with one model, the index was built with another."""

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
            f"{mean:.3f} (least {least:.3f}), so they come from another preprocessing, pooling or weights; import "
            "them with --id NAME instead, or with --force where you know better"
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
    """There is no former default to go back to."""

    def __init__(self, default: str | None) -> None:
        stays = "has no default model yet" if default is None else f"stays with {default}"
        super().__init__(f"no model was replaced by a promotion that could be undone; the workspace {stays}")
