"""Run by ``test_ray`` in a network namespace: ``python -m tests.ingest.ray_child SCENARIO ARGUMENT...``.

Each scenario prints what it saw as one line of JSON, the last one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.config import Settings
from sartor.errors import ClusterError
from sartor.ingest.ray import connection, fleet
from sartor.wiring import open_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.ingest.photos import Progress
    from sartor.shop import Shop

WORKER = b"ray::PhotoWorker"


@contextmanager
def cluster(processors: int) -> Iterator[Any]:
    """A cluster of one node, to which this process is connected."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": processors, "include_dashboard": False})
    connection.package().init(nodes.address, log_to_driver=False, logging_level="ERROR")
    try:
        yield nodes
    finally:
        connection.package().shutdown()
        nodes.shutdown()


def worker_pids() -> list[int]:
    """The processes of workers in this namespace."""
    own = os.readlink("/proc/self/ns/net")  # noqa: PTH115 - no file
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if WORKER in (process / "cmdline").read_bytes() and os.readlink(process / "ns/net") == own:  # noqa: PTH115
                found.append(int(process.name))
        except OSError:
            continue
    return found


def contents(shop: Shop) -> dict[str, Any]:
    """What a store holds, without the embeddings, and what its index answers."""
    store = shop.catalog.store
    stored = store.products(store.product_ids())
    first = min(stored)
    return {
        "products": {product_id: asdict(product) for product_id, product in sorted(stored.items())},
        "thumbnails": sorted(shop.thumbnail(photo).name for each in stored.values() for photo in each.photos),
        "similar": [hit.product_id for hit in shop.similar(product=first, k=5)],
        "problems": [str(problem) for problem in shop.check()],
    }


def embeddings(shop: Shop) -> dict[str, Any]:
    store = shop.catalog.store
    shas = [photo.sha256 for each in store.products(store.product_ids()).values() for photo in each.photos]
    (model,) = store.counts().embeddings
    return dict(sorted(store.embeddings(model, shas).items()))


def compared(left: Path, right: Path) -> dict[str, Any]:
    """Whether two workspaces hold the same."""
    with open_shop(Settings(home=left)) as one, open_shop(Settings(home=right)) as other:
        mine, others = contents(one), contents(other)
        vectors = embeddings(one), embeddings(other)
        same_photos = vectors[0].keys() == vectors[1].keys()
        distance = max(float(np.abs(vectors[0][sha] - vectors[1][sha]).max()) for sha in vectors[0])
    return {
        "same": {part: mine[part] == others[part] for part in mine},
        "same_photos": same_photos,
        "photos": len(vectors[0]),
        "distance": distance,
        "problems": others["problems"],
    }


def one_host(work: Path, demo: Path, colors: Path, table: Path) -> dict[str, Any]:
    """The local pool beside a cluster of two processors, whole, with a broken photo, and with a killed worker."""
    seen: dict[str, Any] = {}
    with cluster(2):
        reports = {}
        for name, ray in (("local", None), ("ray", "local")):
            with open_shop(Settings(home=work / f"demo-{name}")) as shop:
                reports[name] = asdict(shop.index(demo, ray=ray))
            with open_shop(Settings(home=work / f"colors-{name}")) as shop:
                report = shop.index(colors, ray=ray)
                seen[f"rejected_{name}"] = [asdict(each) for each in report.rejected]
                seen[f"again_{name}"] = shop.index(colors, ray=ray).embedded
        seen["counts"] = [
            {key: report[key] for key in ("products", "photos", "added", "embedded", "rejected")}
            for report in reports.values()
        ]
        seen["demo"] = compared(work / "demo-local", work / "demo-ray")
        seen["colors"] = compared(work / "colors-local", work / "colors-ray")
        seen["killed"] = killed_worker(work, colors)
        seen |= models(work, table)
    return seen


def killed_worker(work: Path, colors: Path) -> dict[str, Any]:
    killed: list[int] = []

    def kill_one(_: Progress) -> None:
        if not killed and (pids := worker_pids()):
            os.kill(pids[0], signal.SIGKILL)
            killed.append(pids[0])

    with open_shop(Settings(home=work / "colors-killed")) as shop:
        report = shop.index(colors, ray="local", on_progress=kill_one)
    return {
        "killed": len(killed),
        "products": report.products,
        "rejected": len(report.rejected),
        "compared": compared(work / "colors-local", work / "colors-killed"),
    }


def models(work: Path, table: Path) -> dict[str, Any]:
    """A promotion and an evaluation, each with the local pool and with the cluster."""
    promoted, evaluated = [], []
    for name, ray in (("local", None), ("ray", "local")):
        home = work / f"models-{name}"
        with open_shop(Settings(home=home, model="blind")) as shop:
            shop.index(table)
        with open_shop(Settings(home=home)) as shop:
            evaluation = shop.evaluate(table, "seeing", ray=ray)
            evaluated.append([[each.criterion, repr(each.metrics)] for each in evaluation.models[0].criteria])
            report = asdict(shop.promote("seeing", ray=ray))
            promoted.append([report["embedded"], report["reduced"], shop.check() == (), str(report["comparison"])])
    return {"promoted": promoted, "evaluated": evaluated}


def lost_node(work: Path, colors: Path) -> dict[str, Any]:
    """A second node ends without a word while it works."""
    home, lost = work / "home", []
    with cluster(1) as nodes:
        second = nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()

        def lose(_: Progress) -> None:
            if not lost and len(worker_pids()) > 1:
                nodes.remove_node(second, allow_graceful=False)
                lost.append(second)

        with open_shop(Settings(home=home)) as shop:
            report = shop.index(colors, ray="local", on_progress=lose)
            problems = [str(problem) for problem in shop.check()]
    return {
        "lost": len(lost),
        "products": report.products,
        "rejected": [each.photo for each in report.rejected],
        "problems": problems,
    }


def killed_whole(home: Path, colors: Path) -> dict[str, Any]:
    """Says when the first step is committed, then waits to be killed; the second time it runs to its end."""

    def say(step: Progress) -> None:
        sys.stdout.write(f"{step.products}\n")
        sys.stdout.flush()
        time.sleep(600)

    with open_shop(Settings(home=home)) as shop:
        is_second = shop.counts().products > 0
        report = shop.index(colors, ray="local", **({} if is_second else {"on_progress": say}))
        return {"embedded": report.embedded, "products": report.products, "problems": len(shop.check())}


def refusals(work: Path, colors: Path) -> dict[str, Any]:
    """What is said of clusters that cannot be used."""
    connection.CLUSTER_START_S = fleet.CLUSTER_WAIT_S = 3.0
    ray = connection.package()
    with open_shop(Settings(home=work / "home")) as shop:

        def told(address: str) -> list[Any]:
            started_s = time.monotonic()
            try:
                shop.index(colors, ray=address)
            except ClusterError as error:
                return [type(error).__name__, str(error), time.monotonic() - started_s]
            return ["", "", 0.0]

        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        seen = {"nobody": told(f"ray://127.0.0.1:{port}")}
        connection.CLUSTER_START_S = 60.0
        with cluster(1) as nodes:
            holder = ray.remote(num_cpus=1)(Holder).remote()
            ray.get(holder.hello.remote())
            seen["busy"] = told("local")
            ray.kill(holder)
            ray.shutdown()
            os.environ["RAY_ADDRESS"] = nodes.address
            own, ray.__version__ = ray.__version__, "1.0.0"
            seen["differs"] = told("auto")
            ray.__version__ = own
        connection.CLUSTER_START_S = 3.0
        with socket.create_server(("127.0.0.1", port)):  # it takes connections, and says nothing
            seen["silent"] = told(f"ray://127.0.0.1:{port}")
    return seen


class Holder:
    """Has a processor, and does nothing."""

    def hello(self) -> None:
        """Say that it is there."""


def client(work: Path, colors: Path) -> dict[str, Any]:
    """A cluster that is reached by its client server; then one that has not got the source."""
    port = 10001
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=1"]
    patient = os.environ | {"RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "120"}  # 30 where little else runs
    head = subprocess.Popen(
        [*ray, "--include-dashboard=false", f"--ray-client-server-port={port}"],
        stdout=subprocess.DEVNULL,
        env=patient,
    )
    try:
        wait_for(port)
        warm = f"import ray; ray.init('ray://127.0.0.1:{port}', log_to_driver=False); ray.shutdown()"
        for _ in range(4):  # its first answer takes a minute on a machine that is busy
            if not subprocess.run([sys.executable, "-c", warm], check=False, capture_output=True).returncode:
                break
        sartor = [sys.executable, "-m", "sartor", "index", "--ray", f"ray://127.0.0.1:{port}", "--json"]
        whole = subprocess.run(
            [*sartor, "--home", str(work / "home"), str(colors)], check=False, capture_output=True, text=True
        )
        hidden = work / "hidden"
        hidden.mkdir()
        # The source is in a mount of this process alone.
        script = 'mount -t tmpfs none "$1" && cp "$2"/*.png "$1" && shift 2 && exec "$@"'
        command = ["unshare", "-m", "sh", "-c", script, "sh", str(hidden), str(colors), *sartor]
        unshared = subprocess.run(
            [*command, "--home", str(work / "home2"), str(hidden)], check=False, capture_output=True, text=True
        )
    finally:
        head.terminate()
        head.wait()
    return {
        "code": whole.returncode,
        "error": whole.stderr,
        "report": json.loads(whole.stdout or "{}"),
        "unshared": [unshared.returncode, unshared.stderr],
    }


def bucket(work: Path, colors: Path) -> dict[str, Any]:
    """A folder and an archive in a bucket, whose copy on this host no worker sees."""
    from sartor.catalog import fetching
    from sartor.media.s3_connection import S3Connection
    from tools.engines.s3 import ACCESS_KEY, SECRET_KEY, S3Server

    os.environ |= {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    mark = fetching.Copy.__init__
    fetching.Copy.__init__ = lambda self, **fields: mark(self, **(fields | {"text": "another host's"}))  # type: ignore[method-assign]
    archive = Path(shutil.make_archive(str(work / "catalog"), "zip", colors))
    seen: dict[str, Any] = {}
    with S3Server(work / "s3", buckets=("photos",)) as server, cluster(1):
        where = f"?endpoint={server.endpoint}"
        client = S3Connection(f"s3://photos{where}").client
        for path in sorted(colors.iterdir()):
            client.upload_file(str(path), "photos", f"folder/{path.name}")
        client.upload_file(str(archive), "photos", "catalog.zip")
        for key in ("folder", "catalog.zip"):
            with open_shop(Settings(home=work / key.partition(".")[0])) as shop:
                report = shop.index(f"s3://photos/{key}{where}", ray="local")
                rejected = [each.photo for each in report.rejected]
                seen[key] = [report.products, report.embedded, rejected, len(shop.check())]
    return seen


def wait_for(port: int, *, seconds: float = 60) -> None:
    """Wait until a server listens."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)


def main() -> None:
    scenario, *arguments = sys.argv[1:]
    seen = globals()[scenario](*map(Path, arguments))
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
