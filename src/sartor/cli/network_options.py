"""What the options of ``sartor models add`` say of a network: the scaling of its pixels, and its size."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sartor.encoders.choices import ChannelOrder, ResizePolicy, Scaling

if TYPE_CHECKING:
    from sartor.encoders.card import PixelScaling, Triple

_KERAS_ENDINGS = {".h5", ".hdf5", ".keras"}


def told_scaling(
    file: Path,
    scaling: Scaling | None,
    mean: str | None,
    std: str | None,
    channel_order: ChannelOrder,
    *,
    others: tuple[str | None, ResizePolicy | None],
) -> PixelScaling | None:
    """The scaling that the options say; none where the network's own processor says it."""
    from sartor.encoders.huggingface import network_file, processor_file

    if file.suffix in _KERAS_ENDINGS:
        message = (
            f"{file.name} holds weights of Keras alone; say of which network they are, as in --network resnet50"
        )
        raise typer.BadParameter(message)
    if (scaling, mean, std) != (None, None, None) or (processor := processor_file(network_file(file))) is None:
        return _pixel_scaling(scaling, mean, std, channel_order)
    if others != (None, None):
        message = (
            f"{processor.name} says size and resizing; leave --size and --resize out, or say --scaling as well"
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


def size_px(text: str | None) -> tuple[int, int] | None:
    """Height and width from ``224`` or ``224x192``."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", text)
    if match is None:
        message = f"--size takes 224 or HEIGHTxWIDTH in pixels, not {text!r}"
        raise typer.BadParameter(message)
    return int(match[1]), int(match[2] or match[1])
