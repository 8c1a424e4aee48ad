"""What a training does, as data: a TOML file that runs the same training again.

Every part of the training has its switch here, so that an ablation is a recipe with one line changed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sartor.errors import UnusableRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(_Part):
    """An attribute to learn.

    Attributes:
        name: The attribute.
        weight: How much it counts beside the others.
        describes: Whether products and photos are described by it later; False if it only helps to learn.
    """

    name: str
    weight: Positive = 1.0
    describes: bool = True


class LabelMap(_Part):
    """Gives products a label by the value of another column; several classes mean one of these.

    Products with that column are taken for people's photos when matches are calibrated.

    A value that is not listed, or is listed without a class, gives no label.
    """

    column: str
    label: str
    classes: dict[str, tuple[str, ...]]


class Split(_Part):
    """Which products are held out for validation: by a hash, so that every machine holds out the same ones.

    Attributes:
        seed: Another seed gives another split.
        share: Part of the products that is held out, about.
        group_by: Attributes whose value keeps products together, such as the sender of a photo; the first one that
            a product has counts.
        near_duplicates: Keep products together whose photos look the same.
    """

    seed: int = 20
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    group_by: tuple[str, ...] = ("item_group_id",)
    near_duplicates: bool = True


class Network(_Part):
    """The encoder's shape.

    Attributes:
        side_px: Height and width of the photos that it sees.
        dimension: Length of the embedding.
        freeze_until: Layer of the base up to which weights stay as they are. ``early`` is the end of its early
            part, which makes a step take less than half the time; empty trains everything.
        multi_level: Embed pooled feature maps of three resolutions, not only the last one. The earlier ones still
            show colors plainly.
        hidden: Units of a hidden layer between the pooled features and the embedding, beside the direct
            projection; 0 leaves it out, none takes as many as the model to start from has.
        dropout: Share of them that a step does not see.
    """

    side_px: Annotated[int, Field(ge=32)] = 128
    dimension: Count = 256
    freeze_until: str = "early"
    multi_level: bool = True
    hidden: Annotated[int, Field(ge=0)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3


class Objective(_Part):
    """What is minimized: a normalized softmax for each attribute, an instance term, and an agreement term.

    Attributes:
        scale: Of the cosines between embedding and class vectors, before the softmax.
        label_smoothing: Share of the target given to all classes, against wrong labels.
        instance_weight: Of the term by which two views of one product find each other; 0 leaves it out.
        temperature: Of the instance term.
        agreement_weight: Of the term by which products that agree in all judged attributes find each other, which
            is how neighbors are judged; it needs many views in a step. 0 leaves it out.
        agreement_temperature: Of the agreement term.
    """

    scale: Positive = 20.0
    label_smoothing: Share = 0.05
    instance_weight: Annotated[float, Field(ge=0)] = 0.3
    temperature: Positive = 0.1
    agreement_weight: Annotated[float, Field(ge=0)] = 0.0
    agreement_temperature: Positive = 0.05


class Augmentation(_Part):
    """How photos are changed during training; 0 switches a part off.

    Attributes:
        flip: How often mirrored.
        rotation_deg: Up to this many degrees either way.
        min_crop: Smallest part of the photo's side that is shown.
        perspective: Up to this share of the side each corner is moved.
        lighting: Strength of brightness, contrast and gamma; 0.2 is up to 20 percent.
        white_balance: Strength per color channel; small, so that a color keeps its name.
        blur: How often blurred.
        jpeg: How often compressed again.
        low_resolution: How often made small and large again.
        background: How often a white background is replaced by a texture or a part of another photo.
        erase: How often a rectangle is covered.
    """

    flip: Share = 0.5
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 12.0
    min_crop: Annotated[float, Field(gt=0, le=1)] = 0.75
    perspective: Annotated[float, Field(ge=0, le=0.4)] = 0.06
    lighting: Annotated[float, Field(ge=0, lt=1)] = 0.2
    white_balance: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    blur: Share = 0.15
    jpeg: Share = 0.15
    low_resolution: Share = 0.25
    background: Share = 0.3
    erase: Share = 0.1


class Emphasis(_Part):
    """Draws products that have this attribute more often, by a factor."""

    attribute: str
    factor: Positive


class Sampling(_Part):
    """What one step sees.

    Attributes:
        views: Photos in a step.
        pair_share: Share of them that are two views of one product, of two photos if it has them.
        balance: 0 draws every product equally often, 1 every class.
        emphasis: Products to draw more often.
    """

    views: Annotated[int, Field(ge=8)] = 96
    pair_share: Share = 0.5
    balance: Share = 0.3
    emphasis: tuple[Emphasis, ...] = ()


class Schedule(_Part):
    """How long, and how fast.

    Attributes:
        steps: Maximum of steps; none takes as many as ``epochs`` needs, 0 leaves the stage out.
        epochs: Passes over the training products' photos, if ``steps`` is not given.
        learning_rate: Its maximum, after the warm-up; it then falls to zero by a cosine.
        warmup_share: Share of the steps in which the learning rate rises.
        weight_decay: Of AdamW.
        averaging: Momentum of the running average of weights, which is kept; 0 keeps the last weights.
        validate_every: Steps between validations.
        patience: Validations without a better retrieval figure before it stops.
    """

    steps: Annotated[int, Field(ge=0)] | None = None
    epochs: Positive = 12.0
    learning_rate: Positive = 1e-3
    warmup_share: Share = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    averaging: Annotated[float, Field(ge=0, lt=1)] = 0.995
    validate_every: Count = 500
    patience: Count = 5


class Upper(_Part):
    """A second stage for the upper layers alone, on stored activations of the lower ones.

    Attributes:
        after: Last layer that no longer learns; empty leaves the stage out.
        views: Views of each photo whose activations are stored; the first is the photo itself.
        sampling: What one step sees.
        schedule: How long, and how fast.
    """

    after: str = ""
    views: Count = 3
    sampling: Sampling = Sampling()
    schedule: Schedule = Schedule()


class Recipe(_Part):
    """A whole training.

    Attributes:
        id: Id of the new model.
        base: Network of ``sartor models export``, or a Sartor model to start from.
        labels: Attributes to learn; empty chooses them by coverage and number of values.
        judge_by: Attributes whose agreement among the nearest decides when to stop and what is better; empty takes
            all labels.
        match_by: Attributes in which a similar product agrees with the query, colors by their family and unisex
            with all; empty takes those of ``judge_by``.
        maps: Labels that follow from other columns.
        seed: For everything random.
        license: License of the new model, for its card.
        data: What it is trained on, for its card.
        foreground: Whether the model learns to tell products from what is behind them.
    """

    id: str = "my-model"
    base: str = "sartor-v1"
    labels: tuple[Label, ...] = ()
    judge_by: tuple[str, ...] = ()
    match_by: tuple[str, ...] = ()
    maps: tuple[LabelMap, ...] = ()
    seed: int = 1
    license: str = "unknown"
    data: str = ""
    foreground: bool = True
    split: Split = Split()
    network: Network = Network()
    objective: Objective = Objective()
    augmentation: Augmentation = Augmentation()
    sampling: Sampling = Sampling()
    schedule: Schedule = Schedule()
    upper: Upper = Upper()

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe from its TOML file.

        Raises:
            UnusableRecipe: The file is missing or is not a recipe.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableRecipe(path, reason="it cannot be read") from error
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UnusableRecipe(path, reason=f"it is no TOML ({error})") from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise UnusableRecipe(path, reason=f"{field}: {first['msg']}") from error

    def changed(self, **parts: Any) -> Recipe:
        """This recipe with some parts replaced."""
        return self.model_copy(update=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """What to train, as a user asks for it.

    Attributes:
        sources: Where the products are.
        output: Directory of the new model.
        recipe: How to train.
        weights: Keras weights of the recipe's base; None has Keras fetch the official ones.
        resume: Continue what the output holds.
    """

    sources: Sequence[Path]
    output: Path
    recipe: Recipe
    weights: Path | None = None
    resume: bool = False
