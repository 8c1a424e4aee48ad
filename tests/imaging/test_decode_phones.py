"""Photos as phones make them: larger than a screen needs by far, or without their last bytes."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sartor.errors import PhotoRejected
from sartor.imaging import decode

MIB = 1 << 20
SIZES = {50: (8160, 6144), 64: (9248, 6944), 108: (12000, 9000), 200: (16320, 12240)}


def encoded(width_px: int, height_px: int, format_: str = "JPEG", **options: object) -> bytes:
    """A photo with a gradient, a part of which is noise."""
    small = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3)
    small[:24] = np.random.default_rng(1).integers(0, 255, (24, 64, 3))
    file = io.BytesIO()
    picture = Image.fromarray(small.astype(np.uint8)).resize((width_px, height_px), Image.Resampling.BILINEAR)
    picture.save(file, format_, **options)
    return file.getvalue()


@pytest.mark.parametrize("megapixels", SIZES)
def test_a_photo_of_a_phone_is_read(megapixels: int) -> None:
    width_px, height_px = SIZES[megapixels]
    photo = decode(encoded(width_px, height_px, quality=50), name="photo", fit_px=640)
    assert (photo.width_px, photo.height_px, photo.reduced) == (width_px, height_px, True)
    assert 640 <= min(photo.image.size) < 1_600


@pytest.mark.skipif(sys.platform != "linux", reason="it counts as Linux does")
@pytest.mark.parametrize(("fit", "limit"), [("640", 120), ("None", 250)])
def test_200_megapixels_take_little_memory(fit: str, limit: int, tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(encoded(*SIZES[200], quality=50))
    code = (
        "import resource, sys; from pathlib import Path; from sartor.imaging import decode;"
        "data = Path(sys.argv[1]).read_bytes();"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        f"photo = decode(data, name='photo', fit_px={fit}); print(photo.width_px);"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    line = [sys.executable, "-c", code, str(file)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=240, check=True)
    width_px, more_mib = map(int, done.stdout.split())
    assert width_px == SIZES[200][0]
    assert more_mib < limit


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (encoded(64, 64, quality=20).replace(b"\x00\x40\x00\x40", b"\x75\x30\x75\x30", 1), "more than 250"),
        (encoded(64, 64, progressive=True).replace(b"\x00\x40\x00\x40", b"\x2e\xe0\x2e\xe0", 1), "more than 100"),
    ],
)
def test_what_decoding_would_cost_too_much_is_still_rejected(data: bytes, said: str) -> None:
    with pytest.raises(PhotoRejected, match=said):
        decode(data, name="photo")


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_without_its_end_mark_is_read_whole(missing: int, options: dict[str, object]) -> None:
    whole = encoded(320, 240, **options)
    assert whole.endswith(b"\xff\xd9")
    photo = decode(whole[:-missing], name="photo")
    assert photo.image.tobytes() == decode(whole, name="photo").image.tobytes()
    assert not photo.web_ready


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.97, 0.99])
@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}])
def test_a_jpeg_that_lacks_rows_is_rejected(share: float, options: dict[str, object]) -> None:
    whole = encoded(320, 240, **options)
    with pytest.raises(PhotoRejected, match="is cut off"):
        decode(whole[: int(len(whole) * share)], name="photo")


@pytest.mark.parametrize(("format_", "mark"), [("PNG", 12), ("GIF", 1)])
def test_other_formats_without_their_end_mark_are_read_whole(format_: str, mark: int) -> None:
    whole = encoded(320, 240, format_)
    photo = decode(whole[:-mark], name="photo")
    assert photo.image.tobytes() == decode(whole, name="photo").image.tobytes()


@pytest.mark.parametrize("format_", ["PNG", "GIF"])
def test_other_formats_that_lack_rows_are_rejected(format_: str) -> None:
    whole = encoded(320, 240, format_)
    with pytest.raises(PhotoRejected, match="is cut off"):
        decode(whole[: len(whole) * 2 // 3], name="photo")
