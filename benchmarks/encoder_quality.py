"""How good an encoder is at fashion: on products and people's photos that sartor-v1 has not learned from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from benchmarks.data import (
    MOBILENET_V2_FILE,
    PEOPLES_PHOTOS,
    PHOTOS_224,
    PHOTOS_SMALL,
    SHARED_DATA,
    Data,
    data_file,
)
from benchmarks.report import Figure, Report, Target
from sartor.catalog import open_source
from sartor.choices import Layout, Scaling
from sartor.config import Settings
from sartor.encoders.card import CARD_FILE, MODEL_FILE, ModelCard, PixelScaling
from sartor.encoders.encoder import prepare, unit_norm
from sartor.encoders.registry import DEFAULT_MODEL, DIRECTORY, sha256_of
from sartor.evaluation.intervals import bootstrap_interval, paired_test
from sartor.evaluation.metrics import agreement, joint_agreement
from sartor.evaluation.ranking import nearest
from sartor.imaging import decode
from sartor.shop.library import load_runtime
from sartor.training.dataset import read_dataset
from sartor.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.evaluation.intervals import Interval
    from sartor.training.dataset import Item
    from sartor.types import Matrix

RECIPE = Path(__file__).parents[1] / "recipes" / "sartor-v1.toml"
ATTRIBUTES = ("articleType", "gender", "color")
K = 5
_BATCH = 16
_CACHE_PX = 160  # as the training has it: the same photos look the same
_SAYS_NOTHING = ("Not sure", "Other", "Skip")
_FEWEST = 10  # queries of a category that has a line of its own
_TARGETS = {
    "articleType": 0.87,
    "gender": 0.90,
    "color": 0.62,
    "all three": 0.50,
    "all three, unseen gallery": 0.35,
    "same product across resolutions": 0.90,
    "street to shop": 0.70,
    "photo to photo": 0.78,
    "predicts articleType": 0.89,
    "predicts gender": 0.91,
    "predicts color": 0.71,
    "predicts masterCategory": 0.98,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """The photos of one archive, by product id."""

    ids: tuple[str, ...]
    data: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAttributes:
    """What a network gives for photos: ``(n, d)`` unit embeddings, and ``(n, classes)`` logits by attribute."""

    embeddings: Matrix
    logits: Mapping[str, Matrix]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """An ONNX file and its card."""

    file: Path
    card: ModelCard


def encoder_quality(
    *,
    data: Data = SHARED_DATA,
    model: Annotated[
        Path, typer.Option(metavar="DIR", help="What sartor train wrote; without it, the bundled model.")
    ] = DIRECTORY / DEFAULT_MODEL,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps the split's photos for next time.")
    ] = None,
) -> Report:
    """An encoder beside the ImageNet MobileNetV2, with 95 % intervals, each figure with its target."""
    networks = {
        "new": Network(file=model / MODEL_FILE, card=ModelCard.read(model / CARD_FILE)),
        "base": mobilenet_v2(data_file(data, MOBILENET_V2_FILE)),
    }
    items = split_of(data, work)
    photos = {name: read(data_file(data, name)) for name in (PHOTOS_224, PHOTOS_SMALL, PEOPLES_PHOTOS)}
    scores = {who: examine(network, items, photos) for who, network in networks.items()}
    rng = np.random.default_rng(0)
    intervals = {
        f"{who}: {name}": bootstrap_interval(values, rng=rng)
        for who, by_name in scores.items()
        for name, values in by_name.items()
    }
    return Report(
        name="encoder_quality",
        options={"model": networks["new"].card.id},
        warm_up="none, nothing is timed",
        figures={name: Figure.of([interval.mean], "share") for name, interval in intervals.items()},
        ratios={},
        targets=[
            Target(what=name, value=float(np.nanmean(scores["new"][name])), at_least=bound)
            for name, bound in _TARGETS.items()
            if name in scores["new"]
        ],
        notes=(
            *(f"{name}: {_words(interval)}" for name, interval in intervals.items()),
            *_differences(scores["new"], scores["base"], rng),
            *by_category(scores, items, photos),
        ),
    )


def split_of(data: Path, work: Path | None) -> dict[str, Item]:
    """Every product and person's photo by id, with whether sartor-v1 has not learned from it."""
    recipe = Recipe.read(RECIPE)
    sources = [data_file(data, name) for name in (PHOTOS_224, PHOTOS_SMALL, PEOPLES_PHOTOS)]
    with TemporaryDirectory() as temporary:
        dataset = read_dataset(sources, work or Path(temporary), recipe.split, side_px=_CACHE_PX)
        return {item.id: item for item in dataset.items}


def read(archive: Path) -> Photos:
    """All photos of an archive."""
    with ExitStack() as stack:
        source = stack.enter_context(open_source(archive))
        pairs = [(offered.product.id, offered.photos[0].read()) for offered in source if offered.photos]
    return Photos(ids=tuple(each for each, _ in pairs), data=tuple(data for _, data in pairs))


def examine(
    network: Network, items: Mapping[str, Item], photos: Mapping[str, Photos]
) -> dict[str, npt.NDArray[np.float64]]:
    """Scores from 0 to 1 by figure, one for each query."""
    shop, small, people = photos[PHOTOS_224], photos[PHOTOS_SMALL], photos[PEOPLES_PHOTOS]
    gallery = see(network, shop.data)
    queries = np.flatnonzero([items[each].held_out for each in shop.ids])
    scores = retrieval(gallery.embeddings, queries, labels_of(shop.ids, items))
    unseen = gallery.embeddings[queries]
    own = np.arange(len(queries))
    near = nearest(unseen, unseen, k=K, own=own)
    labels = {name: values[queries] for name, values in labels_of(shop.ids, items).items()}
    scores |= {f"{name}, unseen gallery": agreement(near, values, values) for name, values in labels.items()}
    every = list(labels.values())
    scores["all three, unseen gallery"] = joint_agreement(near, every, every)
    scores["same product across resolutions"] = same_product(network, gallery, queries, shop, small)
    scores |= {
        f"predicts {name}": right(logits[queries], name, network.card, [items[shop.ids[row]] for row in queries])
        for name, logits in gallery.logits.items()
        if name != "label"
    }
    return scores | street(network, gallery, items, shop, people)


def retrieval(
    gallery: Matrix, queries: npt.NDArray[np.int64], labels: Mapping[str, npt.NDArray[np.str_]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Agreement of the nearest among all with each query."""
    near = nearest(gallery[queries], gallery, k=K, own=queries)
    scores = {name: agreement(near, values[queries], values) for name, values in labels.items()}
    asked = [values[queries] for values in labels.values()]
    return scores | {"all three": joint_agreement(near, asked, list(labels.values()))}


def same_product(
    network: Network, gallery: QueryAttributes, queries: npt.NDArray[np.int64], shop: Photos, small: Photos
) -> npt.NDArray[np.float64]:
    """Whether a product's photo of 60 x 80 finds its photo of 224 first, among all of those."""
    place = {each: row for row, each in enumerate(small.ids)}
    rows = [row for row in queries if shop.ids[row] in place]
    found = see(network, [small.data[place[shop.ids[row]]] for row in rows]).embeddings
    near = nearest(found, gallery.embeddings, k=1, own=np.full(len(rows), -1))
    return np.asarray(near[:, 0] == np.array(rows), dtype=np.float64)


def street(
    network: Network, gallery: QueryAttributes, items: Mapping[str, Item], shop: Photos, people: Photos
) -> dict[str, npt.NDArray[np.float64]]:
    """People's photos, of senders that were held out: beside the shop's products, and beside other people's."""
    rows = [row for row, each in enumerate(people.ids) if items[each].attributes["label"] not in _SAYS_NOTHING]
    taken = see(network, [people.data[row] for row in rows]).embeddings
    labels = np.array([str(items[people.ids[row]].attributes["label"]) for row in rows])
    asked = np.flatnonzero([items[people.ids[row]].held_out for row in rows])
    kinds = labels_of(shop.ids, items)["articleType"]
    wanted = Recipe.read(RECIPE).maps[0].classes
    sold = np.array([row for row in asked if labels[row] in wanted])
    to_shop = nearest(taken[sold], gallery.embeddings, k=K, own=np.full(len(sold), -1))
    fits = [np.isin(kinds[near], wanted[label]).mean() for near, label in zip(to_shop, labels[sold], strict=True)]
    among = nearest(taken[asked], taken, k=K, own=asked)
    unseen = nearest(taken[asked], taken[asked], k=K, own=np.arange(len(asked)))
    return {
        "street to shop": _macro(np.array(fits), labels[sold]),
        "street to shop, each photo alike": np.array(fits),
        "photo to photo": agreement(among, labels[asked], labels),
        "photo to photo, unseen gallery": agreement(unseen, labels[asked], labels[asked]),
        "photo to photo, macro": _macro(agreement(among, labels[asked], labels), labels[asked]),
    }


def see(network: Network, photos: Sequence[bytes]) -> QueryAttributes:
    """Embed photos, and predict what the network predicts."""
    runtime = load_runtime(Settings(home=Path("unused")), network.file, network.card)
    card = network.card
    heads = {head.name: head.output for head in card.attributes}
    rows: list[Matrix] = []
    logits: dict[str, list[Matrix]] = {name: [] for name in heads}
    with ThreadPoolExecutor(2) as pool:
        pixels = pool.map(lambda data: prepare(decode(data, name="photo").image, card), photos)
        for batch in _batches(pixels):
            outputs = runtime.infer_outputs(batch, (card.output, *heads.values()))
            rows.append(outputs[card.output])
            for name, output in heads.items():
                logits[name].append(outputs[output])
    return QueryAttributes(
        embeddings=unit_norm(np.concatenate(rows)),
        logits={name: np.concatenate(parts) for name, parts in logits.items()},
    )


def right(logits: Matrix, name: str, card: ModelCard, products: Sequence[Item]) -> npt.NDArray[np.float64]:
    """Whether the likeliest class is the product's; NaN where it has none."""
    classes = next(head.classes for head in card.attributes if head.name == name)
    guessed = [classes[place] for place in logits.argmax(axis=1)]
    pairs = zip(guessed, (str(item.attributes.get(name, "")) for item in products), strict=True)
    return np.array([float(guess == truth) if truth else np.nan for guess, truth in pairs])


def by_category(
    scores: Mapping[str, Mapping[str, npt.NDArray[np.float64]]],
    items: Mapping[str, Item],
    photos: Mapping[str, Photos],
) -> list[str]:
    """The three best and three worst article types of the new encoder, by all three attributes."""
    shop = photos[PHOTOS_224].ids
    kinds = np.array([str(items[each].attributes.get("articleType", "")) for each in shop if items[each].held_out])
    means = {
        kind: tuple(float(np.nanmean(scores[who]["all three"][kinds == kind])) for who in ("new", "base"))
        for kind in np.unique(kinds)
        if (kinds == kind).sum() >= _FEWEST
    }
    order = sorted(means, key=lambda kind: -means[kind][0])
    return [
        f"{word} by all three: {kind}, n = {(kinds == kind).sum()}: {means[kind][0]:.3f}, was {means[kind][1]:.3f}"
        for word, kinds_ in (("best", order[:3]), ("worst", order[-3:]))
        for kind in kinds_
    ]


def labels_of(ids: Iterable[str], items: Mapping[str, Item]) -> dict[str, npt.NDArray[np.str_]]:
    """The attributes that are judged, ``(n,)`` each; empty where the catalog says nothing."""
    return {
        name: np.array([_known(str(items[each].attributes.get(name, ""))) for each in ids]) for name in ATTRIBUTES
    }


def mobilenet_v2(file: Path) -> Network:
    """The ImageNet network of the data, with the card that it needs."""
    card = ModelCard(
        id="mobilenet-v2",
        sha256=sha256_of(file),
        size_px=(224, 224),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(Scaling.TF),
        output="embedding",
        dimension=1280,
    )
    return Network(file=file, card=card.model_copy(update={"output": _only_output(file)}))


def _only_output(file: Path) -> str:
    from sartor.encoders.openvino import signature

    return signature(file).outputs[0].name


def _known(value: str) -> str:
    return "" if value == "NA" else value


def _macro(values: npt.NDArray[np.float64], kinds: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Scores weighted so that their mean is the mean over the kinds."""
    names, counts = np.unique(kinds, return_counts=True)
    weight = dict(zip(names, len(kinds) / (len(names) * counts), strict=True))
    return np.asarray(values * np.array([weight[kind] for kind in kinds]))


def _batches(pixels: Iterable[npt.NDArray[np.uint8]]) -> Iterable[npt.NDArray[np.uint8]]:
    batch: list[npt.NDArray[np.uint8]] = []
    for each in pixels:
        batch.append(each)
        if len(batch) == _BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def _differences(
    new: Mapping[str, npt.NDArray[np.float64]],
    base: Mapping[str, npt.NDArray[np.float64]],
    rng: np.random.Generator,
) -> list[str]:
    tests = {name: paired_test(new[name], base[name], rng=rng) for name in new if name in base}
    return [
        f"new - base: {name}: {test.difference:+.3f} ({test.low:+.3f} to {test.high:+.3f}), p = {test.p_value:.4f}"
        for name, test in tests.items()
    ]


def _words(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f}, n = {interval.count})"
