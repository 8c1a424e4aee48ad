"""``sartor models``: list, add, export and promote the models of a workspace."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.choices import ChannelOrder, Layout, Pooling, ResizePolicy, Scaling
from sartor.cli.options import (
    AllowUrls,
    Device,
    Home,
    Json,
    MetricOption,
    PrecisionOption,
    Ray,
    counted,
    echo,
    print_json,
    print_rejected,
    print_table,
    progress_bar,
    settings,
    stoppable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.encoders.card import ModelCard, PixelScaling, Triple
    from sartor.encoders.detector import DetectorCard
    from sartor.evaluation.promotion import PromotionReport


_KERAS_SUFFIXES = {".h5", ".hdf5", ".keras"}
_STOPPED = "what was embedded stays, the same command continues from there"

app = typer.Typer(help="List, add, export and promote models.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_models(*, home: Home = None, as_json: Json = False) -> None:
    """List the models of the workspace, and those that come with Sartor."""
    from sartor.shop.library import find_detector, open_models

    models = open_models(settings(home=home))
    cards, found = models.cards(), find_detector(models)
    if as_json:
        listed = [card.model_dump(mode="json") | {"bundled": models.is_bundled(card.id)} for card in cards]
        print_json(listed + ([] if found is None else [_detector_json(found[1])]))
        return
    if not cards:
        echo("No model yet; add one with: sartor models add FILE.onnx, or: sartor models export mobilenet_v2")
    print_table(
        "",
        ("id", "input", "dimension", "license", "origin", ""),
        (
            (
                card.id,
                f"{card.size_px[0]}x{card.size_px[1]} {card.layout}" if card.network else "vectors only",
                card.dimension,
                card.license,
                card.origin,
                "bundled" if models.is_bundled(card.id) else "",
            )
            for card in cards
        ),
    )
    if found is not None:
        network = found[1].network
        echo(f"Detector of garments: {network.id}, {found[1].form}; {network.license}; {network.origin}")


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR",
            help="An ONNX network without its classifier, a folder of Hugging Face Optimum, a Keras weights file "
            "with --network, or what sartor train wrote.",
        ),
    ],
    *,
    model_id: Annotated[
        str | None, typer.Option("--id", help="Id of the model; a trained model has its own.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option("--network", metavar="NAME", help="The network of a Keras weights file, such as resnet50."),
    ] = None,
    pooling: Annotated[
        Pooling | None,
        typer.Option("--pooling", help="With --network: pooling of the last feature map, if not as in the file."),
    ] = None,
    scaling: Annotated[
        Scaling | None,
        typer.Option(
            "--scaling",
            help="How pixels are scaled, if no --mean and --std are given; read from preprocessor_config.json.",
        ),
    ] = None,
    mean: Annotated[
        str | None, typer.Option("--mean", metavar="R,G,B", help="Mean of the pixels, in 0..255.")
    ] = None,
    std: Annotated[
        str | None, typer.Option("--std", metavar="R,G,B", help="Standard deviation of the pixels, in 0..255.")
    ] = None,
    channel_order: Annotated[
        ChannelOrder | None,
        typer.Option("--channel-order", help="Order of the channels, with --mean and --std (RGB)."),
    ] = None,
    layout: Annotated[
        Layout | None, typer.Option("--layout", help="Layout of the input; read from the file if it says so.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="PX|HxW", help="Size of the input; read from the file if it says so."),
    ] = None,
    resize: Annotated[
        ResizePolicy | None,
        typer.Option("--resize", help="How a photo is brought to the input size (stretch)."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="NAME", help="Output with the embedding, if there are several."),
    ] = None,
    license_: Annotated[str | None, typer.Option("--license", help="License of the weights (unknown).")] = None,
    detector: Annotated[
        bool,
        typer.Option("--detector", help="It finds garments on photos, as a YOLO or a DETR does, and embeds none."),
    ] = False,
    classes: Annotated[
        Path | None,
        typer.Option(
            "--classes", metavar="FILE", help="With --detector: its classes, a name on each line, in their order."
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a network, which is run once to check that it embeds photos; or a trained model, or a detector."""
    from sartor.encoders.add import ModelSpec
    from sartor.encoders.card import CARD_FILE
    from sartor.shop.library import add_detector, add_model, add_trained, export_model, open_models

    chosen = settings(home=home)
    known = open_models(chosen).cards()
    of_network = {
        "--scaling": scaling,
        "--mean": mean,
        "--std": std,
        "--channel-order": channel_order,
        "--layout": layout,
        "--size": size,
        "--resize": resize,
        "--output": output,
        "--license": license_,
    }
    if detector:
        _require_unused(
            "a detector has none",
            {"--network": network, "--pooling": pooling, "--output": output, "--resize": resize},
        )
        _require_unused_order(mean, std, channel_order)
        spec = ModelSpec(
            id=_id_of(file, model_id),
            scaling=None
            if (scaling, mean, std) == (None, None, None)
            else _pixel_scaling(scaling, mean, std, channel_order or ChannelOrder.RGB),
            layout=layout,
            size_px=_size_px(size),
            license=license_ or "unknown",
            origin=file.name,
        )
        _print_detector(add_detector(chosen, file, spec, classes=_lines(classes)), as_json=as_json)
        return
    _require_unused("it goes with --detector", {"--classes": classes})
    if (file / CARD_FILE).is_file():
        _require_unused(
            "a trained model says it itself",
            {"--id": model_id, "--network": network, "--pooling": pooling, **of_network},
        )
        _print_added(add_trained(chosen, file), known=known, as_json=as_json)
        return
    model_id = _id_of(file, model_id)
    if network is not None:
        _require_unused(f"{network} says it itself", of_network)
        card = export_model(chosen, network, pooling=pooling, weights=file, model_id=model_id)
        _print_added(card, known=known, as_json=as_json)
        return
    _require_unused("it goes with --network", {"--pooling": pooling})
    _require_unused_order(mean, std, channel_order)
    spec = ModelSpec(
        id=model_id,
        scaling=_scaling(file, scaling, mean, std, channel_order or ChannelOrder.RGB, others=(size, resize)),
        layout=layout,
        size_px=_size_px(size),
        resize=resize or ResizePolicy.STRETCH,
        output=output,
        license=license_ or "unknown",
        origin=file.name,
    )
    card = add_model(chosen, file, spec)
    _print_added(card, known=known, as_json=as_json)


def _id_of(file: Path, model_id: str | None) -> str:
    if model_id is None:
        message = f"{file.name} needs --id, the id of the model"
        raise typer.BadParameter(message)
    return model_id


def _require_unused_order(mean: str | None, std: str | None, channel_order: ChannelOrder | None) -> None:
    if mean is None and std is None:
        _require_unused("it goes with --mean and --std", {"--channel-order": channel_order})


def _lines(file: Path | None) -> tuple[str, ...]:
    """The lines of a text file that are not empty."""
    if file is None:
        return ()
    try:
        return tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError):
        message = f"{file} cannot be read as a text file"
        raise typer.BadParameter(message) from None


def _detector_json(card: DetectorCard) -> dict[str, object]:
    facts = card.model_dump(mode="json")
    return {**facts.pop("network"), "bundled": False, "detector": facts}


def _print_detector(card: DetectorCard, *, as_json: bool) -> None:
    if as_json:
        print_json(_detector_json(card))
        return
    network = card.network
    echo(f"added the detector {network.id}: {card.form}, {network.size_px[0]}x{network.size_px[1]} photos")
    echo(f"  it finds: {', '.join(card.classes)}")


def _require_unused(why: str, options: Mapping[str, object]) -> None:
    """Refuse options that would be ignored."""
    for name, value in options.items():
        if value is not None:
            message = f"{name} is not used here: {why}"
            raise typer.BadParameter(message)


@app.command()
def export(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="resnet50, vgg16, inception_v3, mobilenet_v2, efficientnet_b0 or convnext_tiny.",
        ),
    ],
    *,
    pooling: Annotated[
        Pooling | None,
        typer.Option("--pooling", help="Pooling of the last feature map; avg, if the weights have none."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE", help="A Keras weights file, instead of the official weights."),
    ] = None,
    model_id: Annotated[str | None, typer.Option("--id", help="Id of the model.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Export an ImageNet network of Keras without its classifier, with its own preprocessing, and add it."""
    from sartor.shop.library import export_model, open_models

    chosen = settings(home=home)
    known = open_models(chosen).cards()
    card = export_model(chosen, network, pooling=pooling, weights=weights, model_id=model_id)
    _print_added(card, known=known, as_json=as_json)


@app.command()
def promote(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Id of the model.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Promote the model whatever the comparison says.")
    ] = False,
    ray: Ray = None,
    home: Home = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Make a model the default of the workspace, if it is better on held-out products of its catalog.

    The catalog is embedded with it first, while the former default stays in use. After a stop, it continues
    where it was.
    """
    from sartor.wiring import open_shop

    chosen = settings(home=home, metric=metric, device=device, precision=precision, allow_urls=allow_urls)
    with stoppable(_STOPPED), open_shop(chosen) as shop, progress_bar(f"Embedding with {model}") as on_progress:
        report = shop.promote(model, force=force, ray=ray, on_progress=on_progress)
    _print_promoted(report, forced=force, as_json=as_json)


@app.command()
def rollback(
    *,
    home: Home = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Undo the last promotion: the former default becomes the default again."""
    from sartor.wiring import open_shop

    chosen = settings(home=home, metric=metric, device=device, precision=precision, allow_urls=allow_urls)
    with stoppable(_STOPPED), open_shop(chosen) as shop, progress_bar("Embedding what came since") as on_progress:
        report = shop.rollback(on_progress=on_progress)
    _print_promoted(report, as_json=as_json)


def _print_promoted(report: PromotionReport, *, forced: bool = False, as_json: bool) -> None:
    if as_json:
        print_json(asdict(report))
        return
    if report.model == report.previous:
        echo(f"{report.model} is the default already")
    else:
        echo(f"{report.model} is the default now, instead of {report.previous or 'none'}")
    if report.comparison is not None:
        echo(report.comparison.figures)
    if forced and report.model != report.previous:
        if report.comparison is None:
            echo("it was not compared with the former default, and promoted by --force")
        elif not report.comparison.is_better:
            echo("it is not shown to be better, and was promoted by --force")
    if report.embedded or report.rejected:
        reduced = f", {report.reduced:,} from their thumbnails" if report.reduced else ""
        echo(f"{counted(report.embedded, 'photo')} embedded{reduced}, {len(report.rejected):,} rejected")
    print_rejected(report.rejected)


def _print_added(card: ModelCard, *, known: Sequence[ModelCard], as_json: bool) -> None:
    if as_json:
        print_json(card.model_dump(mode="json"))
    elif card in known:
        echo(f"{card.id} is there already, with the same network; nothing was changed")
    else:
        echo(f"added {card.id}: {card.size_px[0]}x{card.size_px[1]} photos to {card.dimension} numbers")
        echo(f"  output {card.output}; {card.origin}")


def _scaling(
    file: Path,
    scaling: Scaling | None,
    mean: str | None,
    std: str | None,
    channel_order: ChannelOrder,
    *,
    others: tuple[str | None, ResizePolicy | None],
) -> PixelScaling | None:
    """The scaling that the options give; None if the file of the image processor gives it."""
    from sartor.encoders.huggingface import network_file, processor_file

    if file.suffix in _KERAS_SUFFIXES:
        message = f"{file.name} only has Keras weights; give their network, as in --network resnet50"
        raise typer.BadParameter(message)
    if (scaling, mean, std) != (None, None, None) or (processor := processor_file(network_file(file))) is None:
        return _pixel_scaling(scaling, mean, std, channel_order)
    if others != (None, None):
        message = (
            f"{processor.name} gives size and resizing; leave --size and --resize out, or give --scaling as well"
        )
        raise typer.BadParameter(message)
    return None


def _pixel_scaling(
    scaling: Scaling | None, mean: str | None, std: str | None, channel_order: ChannelOrder
) -> PixelScaling:
    from sartor.encoders.card import PixelScaling

    if scaling is not None and mean is None and std is None:
        return PixelScaling.named(scaling)
    if scaling is None and mean is not None and std is not None:
        return PixelScaling(channel_order=channel_order, mean=_triple(mean, "--mean"), std=_triple(std, "--std"))
    names = ", ".join(scaling.value for scaling in Scaling)
    message = f"how pixels are scaled cannot be read from a file: give --scaling ({names}), or --mean and --std"
    raise typer.BadParameter(message)


def _triple(text: str, option: str) -> Triple:
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        message = f"{option} takes three numbers, such as 123.7,116.3,103.5, not {text!r}"
        raise typer.BadParameter(message) from None
    if option == "--std" and 0 in (red, green, blue):
        message = "--std must not be 0"
        raise typer.BadParameter(message)
    return red, green, blue


def _size_px(text: str | None) -> tuple[int, int] | None:
    """Height and width from ``224`` or ``224x192``."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", text)
    if match is None:
        message = f"--size takes 224 or HEIGHTxWIDTH in pixels, not {text!r}"
        raise typer.BadParameter(message)
    return int(match[1]), int(match[2] or match[1])
