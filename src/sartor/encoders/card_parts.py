"""What a card says of a model that Sartor trained: its attributes, its calibration, how it was made."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sartor.encoders.choices import Resampling

Side = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resizing(_Part):
    """How a photo is resized to the pixel as another library does it, before the center is cut out of it.

    Attributes:
        to_px: What the shorter side becomes, while the shape stays; or height and width, whatever the shape was.
        resampling: How pixels are made from others.
    """

    to_px: Side | tuple[Side, Side]
    resampling: Resampling = Resampling.BILINEAR


class AttributeHead(_Part):
    """An attribute that the network predicts.

    Attributes:
        name: The attribute, as the catalog calls it.
        output: Name of the output with its logits, ``(n, classes)``.
        classes: What each logit stands for.
        temperature: Divides the logits before a softmax, so that probabilities are honest.
        accuracy: Share of the held-out products where the likeliest class is right; none where unmeasured.
        describes: Whether products and photos are described by it; one that only helped to learn does not.
    """

    name: str
    output: str
    classes: tuple[str, ...]
    temperature: Annotated[float, Field(gt=0)] = 1.0
    accuracy: Share | None = None
    describes: bool = True


class MatchCalibration(_Part):
    """From closeness to the probability that two products agree: ``1 / (1 + e^-(w_s s + w_c c + w_k k + b))``.

    Source: J. Platt, "Probabilistic outputs for support vector machines" (1999).

    Attributes:
        slope: ``w_s``, of the embeddings' cosine.
        color: ``w_c``, of the colors' closeness.
        category: ``w_k``, of the categories' closeness.
        intercept: ``b``.
        attributes: In which two products agree, colors by their family.
    """

    slope: float
    color: float = 0.0
    category: float = 0.0
    intercept: float
    attributes: tuple[str, ...]


class Measured(_Part):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: Annotated[int, Field(ge=0)]


class TrainingRecord(_Part):
    """How a model was made.

    Attributes:
        base: Network that it stands on, by the name of ``sartor models export``.
        multi_level: Whether earlier feature maps are pooled too.
        hidden: Units of the hidden layer before the embedding, 0 without one.
        scale: Of the cosines between embedding and classes.
        started_from: Where its weights began.
        split_seed: Of the split into training and held-out products.
        split_share: Held out of all products.
        data: What it was trained on, in words.
        products: Number of products that it learned from.
        photos: Number of their photos.
        steps: Steps done.
        seconds: Time that they took.
        recipe: All of the recipe.
        figures: Measured on held-out products, by name.
        base_figures: The same of the base.
        versions: Of the packages that trained it.
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
