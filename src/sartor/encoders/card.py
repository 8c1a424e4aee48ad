"""Model cards: the facts that embedding a photo with a network needs, as ``card.json`` beside its ONNX file.

The file is checked against the card's SHA-256 before it runs, so that an embedding can be traced to the bytes of
its network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sartor.choices import ChannelOrder, Layout, Resampling, ResizePolicy, Scaling
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

Side = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
CARD_FILE = "card.json"
MODEL_FILE = "model.onnx"
WEIGHTS_FILE = "weights.npz"  # of a trained model, to continue training
FOREGROUND_FILE = "foreground.npz"  # of a model that tells the product from what is behind it
TEXT_FILE = "text.npz"  # of a model that embeds words, too
TEXT_RECORD_FILE = "text.json"  # what that file is, where it is not beside the card
MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
Triple = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resizing(_Part):
    """Resizing exactly as in another library, before the center is cut out.

    Attributes:
        to_px: New length of the shorter side, keeping the aspect ratio; or height and width, ignoring it.
    """

    to_px: Side | tuple[Side, Side]
    resampling: Resampling = Resampling.BILINEAR


class AttributeHead(_Part):
    """An attribute that the network predicts.

    Attributes:
        name: The attribute's name in the catalog.
        output: Name of the output with its logits, ``(n, classes)``.
        classes: The class of each logit.
        temperature: Divides the logits before a softmax, so that probabilities are calibrated.
        accuracy: Share of held-out products whose likeliest class is right; None if not measured.
        describes: Whether products and photos are described by it; an attribute only for training is not.
    """

    name: str
    output: str
    classes: tuple[str, ...]
    temperature: Annotated[float, Field(gt=0)] = 1.0
    accuracy: Share | None = None
    describes: bool = True


class MatchFit(_Part):
    """From signals of a query and a product to the probability that a shopper calls them similar.

    ``1 / (1 + e^-(w_s s + w_n n + w_c c + w_k k + sum w_a x_a + sum v_q y_q + b))``: ``s``, ``c`` and ``k`` are
    closeness in style, color and category, ``n = max(0, s - 0.8) / 0.2``, ``x_a`` is how much they agree in an
    attribute, ``y_q`` how sure the query is of one.

    Source: J. Platt, "Probabilistic outputs for support vector machines" (1999).

    Attributes:
        slope: ``w_s``, for the embeddings' cosine.
        near: ``w_n``, for how far that is above 0.8, as a share of the rest.
        color: ``w_c``, for the colors' similarity.
        category: ``w_k``, for the categories' similarity.
        agreement: ``w_a`` by attribute.
        confidence: ``v_q`` by attribute, for the probability of the query's likeliest class.
        resolution: For the octaves of the query's resolution.
        intercept: ``b``.
        curve: Points that a rising line goes through, from these log-odds to those that came true; none for as
            they are.
        means: Mean of each signal over the pairs that it was fitted on, by the name of its feature, or
            ``same NAME`` for an attribute's agreement; from there, the weights of a query shift the log-odds.
    """

    slope: float
    near: float = 0.0
    color: float = 0.0
    category: float = 0.0
    agreement: dict[str, float] = {}
    confidence: dict[str, float] = {}
    resolution: float = 0.0
    intercept: float
    curve: tuple[tuple[float, float], ...] = ()
    means: dict[str, float] = {}


class PhotoKinds(_Part):
    """Whose photo a query is: a shop's, a person's, or unlike all that the model has seen.

    Attributes:
        toward_person: ``(d,)``: with an embedding ``e``, a photo is a person's with probability
            ``1 / (1 + e^-(toward_person e + intercept))``.
        intercept: See there.
        familiar: Cosine of an embedding and the nearest class of the first attribute below which a photo is
            unfamiliar.
    """

    toward_person: tuple[float, ...]
    intercept: float
    familiar: float


class MatchCalibration(MatchFit):
    """How a model's matches are computed. The fit is that for shops' photos, and for all where there is no other.

    Attributes:
        attributes: Attributes in which two products agree, colors by their family.
        people: The fit for people's photos.
        photos: How the two are told apart.
        same_style: Closeness in style from which, with ``same_color``, 99 of 100 pairs show the same product.
        same_color: Closeness in color.
    """

    attributes: tuple[str, ...]
    people: MatchFit | None = None
    photos: PhotoKinds | None = None
    same_style: float | None = None
    same_color: float | None = None


class Measured(_Part):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: Annotated[int, Field(ge=0)]


class TrainingRecord(_Part):
    """How a model was made.

    Attributes:
        base: Base network, by its name in ``sartor models export``.
        multi_level: Whether earlier feature maps are pooled too.
        hidden: Units of the hidden layer before the embedding; 0 without one.
        scale: Factor of the cosines between embedding and classes.
        started_from: The weights that training started from.
        split_seed: Seed of the split into training and held-out products.
        split_share: Share of held-out products.
        data: The training data, in words.
        products: Number of training products, with ``photos`` in all.
        figures: Measured on held-out products, by name; ``base_figures`` for the base network.
        versions: Versions of the packages.
    """

    base: str
    multi_level: bool
    hidden: Annotated[int, Field(ge=0)] = 0
    scale: float
    started_from: str
    split_seed: int
    split_share: float
    data: str = ""
    products: int
    photos: int
    steps: int
    seconds: float
    recipe: dict[str, Any]
    figures: dict[str, Measured]
    base_figures: dict[str, Measured]
    versions: dict[str, str]


class PixelScaling(BaseModel):
    """``input = (pixel - mean) / std`` for each channel, in the network's own channel order, pixels in 0..255."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel_order: ChannelOrder = ChannelOrder.RGB
    mean: Triple
    std: Annotated[Triple, Field(description="never 0")]

    @model_validator(mode="after")
    def _std_is_not_zero(self) -> Self:
        if 0 in self.std:
            msg = "std must not be 0"
            raise ValueError(msg)
        return self

    def applied(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """RGB pixels ``(…, 3)`` in 0..255, scaled for the network."""
        channels = pixels[..., ::-1] if self.channel_order is ChannelOrder.BGR else pixels
        scaled = (channels.astype(np.float32) - np.array(self.mean)) / np.array(self.std)
        return np.asarray(scaled, np.float32)

    @classmethod
    def named(cls, scaling: Scaling) -> PixelScaling:
        """The mean, deviation and channel order of a common scaling."""
        return _SCALINGS[scaling]


_SCALINGS = {
    Scaling.CAFFE: PixelScaling(
        channel_order=ChannelOrder.BGR, mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0)
    ),
    Scaling.TF: PixelScaling(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    Scaling.TORCH: PixelScaling(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    Scaling.UNIT: PixelScaling(mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0)),
    Scaling.RAW: PixelScaling(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
    Scaling.CLIP: PixelScaling(
        mean=(122.7709383, 116.7460125, 104.09373615), std=(68.5005327, 66.6321579, 70.32316305)
    ),
}


class TextRecord(_Part):
    """A model's text tower.

    Attributes:
        sha256: Hex digest of its file.
        network_sha256: Hex digest of the network whose embeddings it learned from.
        words: Size of its vocabulary.
        data: What it learned from, in words.
        products: Number of training products, with ``photos`` in all.
        figures: Measured on held-out products, by name.
    """

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    network_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    words: Annotated[int, Field(ge=0)]
    data: str = ""
    products: Annotated[int, Field(ge=0)]
    photos: Annotated[int, Field(ge=0)]
    figures: dict[str, Measured] = {}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record from its JSON file.

        Raises:
            UnusableModel: The file is missing or not a record.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UnusableModel(path, reason="it does not describe a text tower; train it again") from error

    def write(self, path: Path) -> None:
        """Write the record as indented JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


class ModelCard(BaseModel):
    """The facts of a network that embedding a photo needs.

    Attributes:
        id: Name of the model; lower-case letters, digits, dot, dash and underscore.
        sha256: Hex digest of the ONNX file.
        size_px: Height and width of the network's input.
        scaling: From pixels in 0..255 to the network's input.
        resize: How a photo becomes the input size.
        resizing: Exact resizing as in another library; ``resize`` is only its kind then.
        output: Name of the output that holds the embedding, shape ``(n, dimension)``.
        license: License of the weights, as an SPDX id if possible.
        origin: Where the weights came from.
        attributes: Attributes that it predicts.
        feature_maps: Names of the outputs with the pooled feature maps, the finest first, ``(n, h, w, c)`` each;
            empty if the network does not output them.
        foreground_sha256: Hex digest of the file with its foreground head; None if it has none.
        text: Its text tower; None if it embeds photos only.
        calibration: From scores to probabilities of a match.
        training: How Sartor trained it; None for other models.
        network: False for imported vectors: the model cannot embed, the SHA-256 is of their bytes, and the facts
            of input and output mean nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_px: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
    layout: Layout
    scaling: PixelScaling
    resize: ResizePolicy = ResizePolicy.STRETCH
    resizing: Resizing | None = None
    output: str
    dimension: int = Field(gt=0)
    license: str = "unknown"
    origin: str = "unknown"
    attributes: tuple[AttributeHead, ...] = ()
    feature_maps: tuple[str, ...] = ()
    foreground_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    text: TextRecord | None = None
    calibration: MatchCalibration | None = None
    training: TrainingRecord | None = None
    network: bool = True

    @model_validator(mode="after")
    def _id_is_a_plain_name(self) -> Self:
        if not MODEL_ID.fullmatch(self.id):
            msg = f"a model id has lower-case letters, digits, dot, dash and underscore, not {self.id!r}"
            raise ValueError(msg)
        return self

    @classmethod
    def of_vectors(cls, model_id: str, *, sha256: str, dimension: int, origin: str) -> ModelCard:
        """The card of imported vectors, without a network.

        Raises:
            UnusableModel: The id is not valid.
        """
        if not MODEL_ID.fullmatch(model_id):
            reason = "an id has lower-case letters, digits, dot, dash and underscore"
            raise UnusableModel(model_id, reason=reason)
        return cls(
            id=model_id,
            sha256=sha256,
            size_px=(1, 1),
            layout=Layout.NHWC,
            scaling=PixelScaling.named(Scaling.RAW),
            output="",
            dimension=dimension,
            origin=origin,
            network=False,
        )

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read a card from its JSON file.

        Raises:
            UnusableModel: The file is missing or not a card.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise UnusableModel(path, reason=f"its card cannot be read ({error.strerror})") from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "card"
            raise UnusableModel(path, reason=f"its card is not valid ({field}: {first['msg']})") from error

    def write(self, path: Path) -> None:
        """Write the card as indented JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
