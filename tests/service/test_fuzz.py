"""Thousands of damaged uploads: each is refused with a problem, none is an error of the service."""

from __future__ import annotations

import io
import random
import resource
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from starlette.testclient import TestClient

UPLOADS = 2000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
KINDS = ("multipart/form-data; boundary=x", "application/json", "multipart/form-data; boundary=")
GROWTH_BYTES = 200 << 20


def seeds() -> list[bytes]:
    """Real files of each format, and an archive."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (40, 30, 3), np.uint8))
    files = []
    for name in FORMATS:
        stream = io.BytesIO()
        image.save(stream, name)
        files.append(stream.getvalue())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", files[0])
        archive.writestr("zeros", bytes(1 << 20))
    return [*files, stream.getvalue()]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The same file with some of it changed, cut, repeated or put elsewhere."""
    content = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(max(1, len(content)))
        match rng.randrange(6):
            case 0:
                content[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del content[place:]
            case 2:
                content[place:place] = rng.randbytes(rng.randrange(1, 64))
            case 3:
                content[place : place + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
            case 4:
                content += content[place : place + 200]
            case 5:
                content[: min(16, len(content))] = rng.randbytes(16)
    return bytes(content)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(11)  # noqa: S311 - no secret


def test_damaged_uploads_are_refused_and_memory_stays(client: TestClient, rng: random.Random) -> None:
    originals, statuses = seeds(), {}
    before = 0
    for number in range(UPLOADS):
        if number == UPLOADS // 4:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = client.post("/v1/describe", files={"photo": damaged(rng.choice(originals), rng)})
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert set(statuses) <= {200, 422}
    assert statuses[422] > UPLOADS // 4
    assert (after - before) * 1024 < GROWTH_BYTES


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Starlette leaves a file to the GC
def test_damaged_forms_and_queries_are_refused(client: TestClient, rng: random.Random) -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{"k": 3, "where": {"color": "Red"}}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
        + seeds()[1]
        + b"\r\n--x--\r\n"
    )
    for _ in range(300):
        kind = rng.choice(KINDS)
        answer = client.post("/v1/similar", content=damaged(form, rng), headers={"content-type": kind})
        assert answer.status_code < 500, answer.text
