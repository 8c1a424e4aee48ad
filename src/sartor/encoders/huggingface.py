"""What Hugging Face's image processors do to a photo before its network, read from their file, as a card says it.

Source: the ``ImageProcessor`` classes of the transformers library in ``image_processing_clip.py``, ``_bit.py``,
``_vit.py``, ``_deit.py``, ``_siglip.py`` and ``_convnext.py``, and ``image_transforms.py`` for the sizes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sartor.choices import Resampling, ResizePolicy
from sartor.encoders.card import PixelScaling, Resizing
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.encoders.add import ModelSpec
    from sartor.encoders.card import Triple

PROCESSOR_FILE = "preprocessor_config.json"
_PROCESSORS_FILE = "processor_config.json"  # of newer versions, with the image processor as a part
_NETWORKS = ("vision_model.onnx", "model.onnx")
_SUBFOLDER = "onnx"

_Side = Annotated[int, Field(gt=0, strict=True)]
_Size = _Side | dict[str, _Side | None]
_Number = Annotated[float, Field(strict=True)]
_Channels = _Number | tuple[_Number, _Number, _Number]

_RESAMPLINGS = (  # by the numbers that Pillow gives them
    Resampling.NEAREST,
    Resampling.LANCZOS,
    Resampling.BILINEAR,
    Resampling.BICUBIC,
    Resampling.BOX,
    Resampling.HAMMING,
)
_HALF, _CLIP_MEAN, _CLIP_STD = 0.5, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_STEPS = {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"}
_UNCROPPED_PX = 384  # from this size on, ConvNeXt's processor stretches
_CONVNEXT = "ConvNext"


class _Config(BaseModel):
    """The fields that say what is done; each has a default of its own with every processor."""

    model_config = ConfigDict(extra="allow")

    do_resize: bool | None = None
    size: _Size | None = None
    resample: Annotated[int, Field(ge=0, lt=len(_RESAMPLINGS))] | None = None
    do_center_crop: bool | None = None
    crop_size: _Size | None = None
    crop_pct: Annotated[float, Field(gt=0, le=1)] | None = None
    do_rescale: bool | None = None
    rescale_factor: Annotated[float, Field(gt=0)] | None = None
    do_normalize: bool | None = None
    image_mean: _Channels | None = None
    image_std: _Channels | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Processor:
    """The defaults of one class of image processor."""

    size: int | tuple[int, int]  # the shorter side, or height and width
    crops: bool = False
    resample: int = 3
    mean: float | Triple = _HALF
    std: float | Triple = _HALF


_PROCESSORS = {
    "CLIP": _Processor(size=224, crops=True, mean=_CLIP_MEAN, std=_CLIP_STD),
    "Bit": _Processor(size=224, crops=True, mean=_CLIP_MEAN, std=_CLIP_STD),
    "ViT": _Processor(size=(224, 224), resample=2),
    "DeiT": _Processor(size=(256, 256), crops=True),
    "Siglip": _Processor(size=(224, 224)),
    _CONVNEXT: _Processor(size=_UNCROPPED_PX),
}


def network_file(path: Path) -> Path:
    """The ONNX file of a folder, as Hugging Face Optimum and transformers.js lay it out; a file is itself.

    Raises:
        UnusableModel: There is none, or nothing says which.
    """
    if not path.is_dir():
        return path
    folders = (path, path / _SUBFOLDER)
    usual = [file for name in _NETWORKS for folder in folders if (file := folder / name).is_file()]
    networks = usual[:1] or sorted(file for folder in folders for file in folder.glob("*.onnx"))
    if len(networks) == 1:
        return networks[0]
    names = ", ".join(str(file.relative_to(path)) for file in networks)
    reason = f"give one of its networks: {names}" if networks else "it holds neither a card.json nor an ONNX file"
    raise UnusableModel(path, reason=reason)


def processor_file(network: Path) -> Path | None:
    """The file beside a network that says how photos are prepared for it, if there is one."""
    folders = [network.parent, *([network.parent.parent] if network.parent.name == _SUBFOLDER else [])]
    files = [folder / name for folder in folders for name in (PROCESSOR_FILE, _PROCESSORS_FILE)]
    return next((file for file in files if file.is_file()), None)


def followed(adoption: ModelSpec, file: Path) -> ModelSpec:
    """A spec completed by the way the network's processor prepares photos.

    Raises:
        UnusableModel: The file is not a preprocessor configuration, or its steps cannot be followed.
    """
    kind, config = _read(file)
    processor = _PROCESSORS[kind]
    to_px, size_px = _sizes(file, kind, config)
    resample = processor.resample if config.resample is None else config.resample
    return replace(
        adoption,
        scaling=_scaling(file, processor, config),
        size_px=size_px,
        resize=ResizePolicy.STRETCH if to_px == size_px else ResizePolicy.CROP,
        resizing=Resizing(to_px=to_px, resampling=_RESAMPLINGS[resample]),
    )


def _read(file: Path) -> tuple[str, _Config]:
    try:
        content = json.loads(file.read_bytes())
        content = content.get("image_processor", content)
        kind = _kind(content)
        config = _Config.model_validate(content)
    except (OSError, ValueError, AttributeError) as error:
        raise UnusableModel(file, reason=f"it cannot be read ({_words(error)})") from error
    if kind not in _PROCESSORS:
        known = ", ".join(_PROCESSORS)
        raise UnusableModel(
            file,
            reason=f"its image processor {kind or 'without a name'} is not known (known are: {known}); "
            "say what it does with --scaling or --mean and --std, --size and --resize",
        )
    extra = config.model_extra or {}
    odd = [name for name, on in extra.items() if on and (name == "rescale_offset" or _is_odd_step(name))]
    if odd:
        raise UnusableModel(file, reason=f"its step {odd[0]} cannot be followed here")
    return kind, config


def _kind(content: dict[str, Any]) -> str:
    name = content.get("image_processor_type") or content.get("feature_extractor_type") or ""
    return re.sub(r"(ImageProcessor(Fast|Pil)?|FeatureExtractor)$", "", str(name))


def _is_odd_step(name: str) -> bool:
    return name.startswith("do_") and name not in _STEPS


def _sizes(file: Path, kind: str, config: _Config) -> tuple[int | tuple[int, int], tuple[int, int]]:
    """What a photo is resized to, and what is cut out of its center: height and width."""
    processor = _PROCESSORS[kind]
    if config.do_resize is False:
        raise UnusableModel(
            file, reason="it resizes no photo (do_resize is false), and a network here takes one size"
        )
    to_px = processor.size if config.size is None else _side_or_pair(file, config.size, processor.size)
    if kind == _CONVNEXT:
        return _convnext_sizes(file, to_px, config.crop_pct)
    if not (processor.crops if config.do_center_crop is None else config.do_center_crop):
        if isinstance(to_px, int):
            reason = "it leaves a photo its shape (no do_center_crop), and a network here takes one size"
            raise UnusableModel(file, reason=reason)
        return to_px, to_px
    size_px = _pair(file, config.crop_size or 224)
    whole = (to_px, to_px) if isinstance(to_px, int) else to_px
    if size_px[0] > whole[0] or size_px[1] > whole[1]:
        raise UnusableModel(file, reason=f"it cuts out {size_px[0]}x{size_px[1]}, more than it resizes a photo to")
    return to_px, size_px


def _convnext_sizes(
    file: Path, side: int | tuple[int, int], crop_pct: float | None
) -> tuple[int | tuple[int, int], tuple[int, int]]:
    if not isinstance(side, int):
        raise UnusableModel(file, reason="its size has no shortest_edge, which its image processor asks for")
    if side >= _UNCROPPED_PX:
        return (side, side), (side, side)
    return int(side / (crop_pct or 224 / 256)), (side, side)


def _side_or_pair(file: Path, size: _Size, default: int | tuple[int, int]) -> int | tuple[int, int]:
    if isinstance(size, int):
        return size if isinstance(default, int) else (size, size)
    sides = {name: side for name, side in size.items() if side is not None}
    if set(sides) == {"shortest_edge"}:
        return sides["shortest_edge"]
    return _pair(file, size)


def _pair(file: Path, size: _Size) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    sides = {name: side for name, side in size.items() if side is not None}
    if set(sides) != {"height", "width"}:
        raise UnusableModel(file, reason=f"its size {', '.join(sides) or 'without sides'} cannot be followed here")
    return sides["height"], sides["width"]


def _scaling(file: Path, processor: _Processor, config: _Config) -> PixelScaling:
    """``(pixel * factor - mean) / std``, as one mean and one deviation of pixels in 0..255."""
    factor = 1.0 if config.do_rescale is False else config.rescale_factor or 1 / 255
    mean = _triple(processor.mean if config.image_mean is None else config.image_mean)
    std = _triple(processor.std if config.image_std is None else config.image_std)
    if config.do_normalize is False:
        mean, std = _triple(0.0), _triple(1.0)
    if 0 in std:
        raise UnusableModel(file, reason="its image_std must not be 0")
    first, second, third = (each / factor for each in mean)
    return PixelScaling(mean=(first, second, third), std=_triple(tuple(each / factor for each in std)))


def _triple(numbers: float | tuple[float, ...]) -> Triple:
    if not isinstance(numbers, tuple):
        return numbers, numbers, numbers
    red, green, blue = numbers
    return red, green, blue


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error) or type(error).__name__
