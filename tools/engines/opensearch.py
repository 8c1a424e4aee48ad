"""OpenSearch with its k-NN plugin as processes: one node, or a cluster of several on this host.

No package registry has the distribution. Its parts are on Maven Central, so that ``assemble`` puts a home
directory together from them, by Maven and its settings. What is missing there is missing here: the native library
of the Faiss engine, and the security plugin with its TLS and passwords.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.error import URLError
from urllib.request import urlopen

from filelock import FileLock

from tools.engines.base import HOST, EngineFailed, ServerProcess, cached, check_port, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tools.engines.network import Host

VERSION, KNN_VERSION = "3.5.0", "3.5.0.0"
_MIN_JAVA = 21
_JAVA_DIRECTORIES = (Path("/usr/lib/jvm"), Path("/opt/java"), Path.home() / ".sdkman/candidates/java")
_NAME = f"opensearch-{VERSION}"
_NOBODY = 65534  # OpenSearch does not run as root
_MAVEN_S, _START_S = 900.0, 120.0

_PLUGIN = "org.opensearch.plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Artifact:
    group: str
    name: str
    version: str = VERSION
    kind: str = "jar"
    alone: bool = False

    @property
    def xml(self) -> str:
        alone = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
        return (
            f"<dependency><groupId>{self.group}</groupId><artifactId>{self.name}</artifactId>"
            f"<version>{self.version}</version><type>{self.kind}</type>{alone if self.alone else ''}</dependency>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A directory of the distribution, what comes into it, and the class of the module that it is."""

    name: str
    artifacts: Sequence[_Artifact] = field(default=())
    main_class: str = ""
    extends: str = ""


_LIBRARY = _Part(
    name="lib",
    artifacts=(
        _Artifact(group="org.opensearch", name="opensearch"),
        _Artifact(group="org.opensearch", name="opensearch-plugin-classloader"),
        _Artifact(group="org.opensearch", name="opensearch-agent-bootstrap", version="3.6.0"),
        _Artifact(group="org.apache.logging.log4j", name="log4j-core", version="2.25.3"),
    ),
)
_MODULES = (
    _Part(
        name="transport-netty4",
        artifacts=(_Artifact(group=_PLUGIN, name="transport-netty4-client"),),
        main_class="org.opensearch.transport.Netty4ModulePlugin",
    ),
    _Part(
        name="lang-painless",
        artifacts=(_Artifact(group=_PLUGIN, name="lang-painless"),),
        main_class="org.opensearch.painless.PainlessModulePlugin",
    ),
    _Part(
        name="analysis-common",
        artifacts=(_Artifact(group=_PLUGIN, name="analysis-common"),),
        main_class="org.opensearch.analysis.common.CommonAnalysisModulePlugin",
        extends="lang-painless",
    ),
    _Part(
        name="reindex",
        artifacts=(_Artifact(group=_PLUGIN, name="reindex-client"),),
        main_class="org.opensearch.index.reindex.ReindexModulePlugin",
    ),
)
_KNN = _Part(
    name="opensearch-knn",
    artifacts=(
        _Artifact(group=_PLUGIN, name="opensearch-knn", version=KNN_VERSION, kind="zip", alone=True),
        _Artifact(group="com.google.guava", name="guava", version="33.2.1-jre"),
    ),
)
# The plugin names three types of a gRPC module that Maven Central lacks; its gRPC service is off by default.
_GRPC_TYPES: Mapping[str, str] = {
    "org/opensearch/transport/grpc/spi/QueryBuilderProtoConverter": (
        "public interface QueryBuilderProtoConverter {}"
    ),
    "org/opensearch/transport/grpc/spi/QueryBuilderProtoConverterRegistry": (
        "public interface QueryBuilderProtoConverterRegistry {}"
    ),
    "org/opensearch/protobufs/QueryContainer": (
        "public class QueryContainer { public enum QueryContainerCase { NONE } }"
    ),
}
_LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
"""
_POM = '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'


def java_home() -> Path | None:
    """A JDK that OpenSearch runs on: ``JAVA_HOME`` if it is new enough, or one of those installed."""
    named = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    installed = [path for parent in _JAVA_DIRECTORIES if parent.is_dir() for path in sorted(parent.iterdir())]
    return next((path for path in (*named, *installed) if _java_version(path) >= _MIN_JAVA), None)


def missing() -> str | None:
    """What this host lacks to run OpenSearch; None if it has all."""
    if java_home() is None:
        return f"there is no JDK {_MIN_JAVA} or newer; set JAVA_HOME"
    if not cached(_NAME).is_dir() and shutil.which("mvn") is None:
        return "Maven is not installed"
    return None


def assemble() -> Path:
    """The home directory of OpenSearch, put together at the first call: 20 s and 65 MiB from Maven.

    It is kept in the directory that ``SARTOR_ENGINES`` names, by default in the user's cache.

    Raises:
        EngineFailed: Something is missing, or Maven cannot fetch it.
    """
    home = cached(_NAME)
    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(home.parent / "opensearch.lock"):
        if home.is_dir():
            return home
        if reason := missing():
            raise EngineFailed(f"OpenSearch cannot be put together: {reason}")
        with tempfile.TemporaryDirectory(dir=home.parent) as directory:
            work = Path(directory)
            _fetch(work)
            draft = work / "home"
            _lay_out(draft, work)
            draft.chmod(0o755)
            draft.rename(home)
    return home


class OpenSearchNode:
    """A node on a directory, which keeps its data from one start to the next.

    Args:
        directory: Its files and its log; made if it is missing.
        port: Where it listens for HTTP; by default, a free port that stays the same over restarts.
        settings: More lines of ``opensearch.yml``.
        heap_mb: Memory of the Java heap.
        on: A host of its own instead of this one's loopback.

    Example:
        >>> with OpenSearchNode(tmp_path / "node") as node:
        ...     node.address[:23]
        'opensearch://127.0.0.1:'
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        settings: Sequence[str] = (),
        heap_mb: int = 512,
        on: Host | None = None,
    ) -> None:
        self._directory, self._settings, self._heap_mb = directory, tuple(settings), heap_mb
        self._within, self._address = ((), HOST) if on is None else (on.within, on.address)
        self._port = free_port() if port is None else port
        self.transport_port = free_port()
        self._process = ServerProcess("OpenSearch", directory / "node.log")

    @property
    def address(self) -> str:
        """Address as Sartor takes it."""
        return f"opensearch://{self.host}"

    @property
    def host(self) -> str:
        """Host and port of HTTP."""
        return f"{self._address}:{self._port}"

    @property
    def process_id(self) -> int:
        """Id of its process.

        Raises:
            EngineFailed: It does not run.
        """
        return self._process.id

    def join(self, *, seeds: str, managers: str) -> None:
        """Make it a member of a cluster before it starts; both are lists as YAML writes them."""
        self._settings = (
            *self._settings,
            f"discovery.seed_hosts: [{seeds}]",
            f"cluster.initial_cluster_manager_nodes: [{managers}]",
        )

    def launch(self) -> None:
        """Start the process without waiting until it answers.

        Raises:
            EngineFailed: A port is taken, or OpenSearch is not to be had.
        """
        for port in (self._port, self.transport_port):
            if self._address == HOST:  # a host of its own has all its ports to itself
                check_port(port)
        home, java = assemble(), java_home()
        if java is None:
            raise EngineFailed(f"OpenSearch needs a JDK: {missing()}")
        self._prepare(home)
        command = [
            *self._within,
            *_as_somebody_else(),
            str(java / "bin/java"),
            *(f"-Xm{kind}{self._heap_mb}m" for kind in "sx"),
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            f"-Djava.io.tmpdir={self._directory / 'tmp'}",
            "-Dlog4j2.disable.jmx=true",
            f"-Dopensearch.path.home={home}",
            f"-Dopensearch.path.conf={self._directory / 'config'}",
            "-Dopensearch.distribution.type=tar",
            "-Dopensearch.bundled_jdk=false",
            "-cp",
            f"{home}/lib/*",
            "org.opensearch.bootstrap.OpenSearch",
        ]
        self._process.launch(command)

    def wait(self, *, nodes: int = 1) -> None:
        """Wait until it answers and sees so many nodes.

        Raises:
            EngineFailed: It ended, or it does not answer.
        """
        self._process.wait(lambda: self._sees(nodes), seconds=_START_S)

    def start(self) -> None:
        """Start the node and wait until it answers.

        Raises:
            EngineFailed: A port is taken, it ended, or it does not answer.
        """
        self.launch()
        self.wait()

    def stop(self) -> None:
        """End it in order, with SIGTERM."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self._process.kill()

    def pause(self) -> None:
        """Let it answer nothing, with its connections open, until ``resume``."""
        os.kill(self.process_id, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        os.kill(self.process_id, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self, home: Path) -> None:
        for name in ("config", "data", "logs", "tmp"):
            (self._directory / name).mkdir(parents=True, exist_ok=True)
        for file in (home / "config").iterdir():
            shutil.copy(file, self._directory / "config")
        lines = [
            "cluster.name: sartor-tests",
            f"node.name: n{self._port}",
            f"path.data: {self._directory / 'data'}",
            f"path.logs: {self._directory / 'logs'}",
            f"network.host: {self._address}",
            f"http.port: {self._port}",
            f"transport.port: {self.transport_port}",
            "cluster.routing.allocation.disk.threshold_enabled: false",
            *(self._settings or ("discovery.type: single-node",)),
        ]
        (self._directory / "config/opensearch.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        if os.geteuid() == 0:
            for path in (self._directory, *self._directory.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY)

    def _sees(self, nodes: int) -> bool:
        try:
            with urlopen(f"http://{self.host}/_cluster/health", timeout=5) as answer:
                health = json.load(answer)
            return bool(health["number_of_nodes"] >= nodes and health["status"] != "red")
        except (URLError, OSError, ValueError, KeyError):
            return False


class OpenSearchCluster:
    """Several nodes that form a cluster, each on a directory below one.

    Args:
        directory: Above theirs.
        nodes: How many.
        heap_mb: Memory of the Java heap of each.
        on: A host for each instead of this one's loopback, which gives their number.

    Example:
        >>> with OpenSearchCluster(tmp_path / "cluster", nodes=3) as cluster:
        ...     cluster.nodes[0].kill()
    """

    def __init__(self, directory: Path, *, nodes: int = 3, heap_mb: int = 512, on: Sequence[Host] = ()) -> None:
        hosts: Sequence[Host | None] = on or [None] * nodes
        self.nodes = [
            OpenSearchNode(directory / str(number), heap_mb=heap_mb, on=host) for number, host in enumerate(hosts)
        ]
        peers = ", ".join(f"'{node.host.rpartition(':')[0]}:{node.transport_port}'" for node in self.nodes)
        names = ", ".join(f"'n{node.host.rpartition(':')[2]}'" for node in self.nodes)
        for node in self.nodes:
            node.join(seeds=peers, managers=names)

    @property
    def address(self) -> str:
        """Address with all nodes, as Sartor takes it."""
        return f"opensearch://{','.join(node.host for node in self.nodes)}"

    def start(self) -> None:
        """Start all nodes and wait until they have found each other.

        Raises:
            EngineFailed: One does not start.
        """
        try:
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                node.wait(nodes=len(self.nodes))
        except BaseException:
            for node in self.nodes:
                node.kill()
            raise

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _java_version(java: Path) -> int:
    """The major version of a JDK; 0 if it is none."""
    try:
        release = (java / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    match = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(match[1]) if match and (java / "bin/javac").exists() else 0


def _fetch(work: Path) -> None:
    """Let Maven put the jars of each part into ``work/PART/out``."""
    parts = (_LIBRARY, *_MODULES, _KNN)
    modules = "".join(f"<module>{part.name}</module>" for part in parts)
    (work / "pom.xml").write_text(
        f"{_POM}<groupId>sartor</groupId><artifactId>engines</artifactId><version>1</version>"
        f"<packaging>pom</packaging><modules>{modules}</modules></project>",
        encoding="utf-8",
    )
    for part in parts:
        (work / part.name).mkdir()
        (work / part.name / "pom.xml").write_text(
            f"{_POM}<parent><groupId>sartor</groupId><artifactId>engines</artifactId><version>1</version></parent>"
            f"<artifactId>{part.name}</artifactId><packaging>pom</packaging>"
            f"<dependencies>{''.join(artifact.xml for artifact in part.artifacts)}</dependencies></project>",
            encoding="utf-8",
        )
    command = ["mvn", "-q", "-B", f"-Dmaven.repo.local={work / 'repository'}", "dependency:copy-dependencies"]
    options = ["-DoutputDirectory=${project.basedir}/out", "-DincludeScope=runtime"]
    _run([*command, *options], cwd=work)


def _lay_out(home: Path, work: Path) -> None:
    """Put the jars where OpenSearch looks for them."""
    for name in ("bin", "lib", "modules", "plugins", "config", "extensions"):
        (home / name).mkdir(parents=True)
    library = {jar.name for jar in (work / _LIBRARY.name / "out").glob("*.jar")}
    for jar in (work / _LIBRARY.name / "out").glob("*.jar"):
        shutil.copy(jar, home / "lib")
    for module in _MODULES:
        directory = home / "modules" / module.name
        directory.mkdir()
        for jar in (work / module.name / "out").glob("*.jar"):
            if jar.name not in library and not re.search(r"quic.*-(osx|windows|linux-aarch)", jar.name):
                shutil.copy(jar, directory)
        (directory / "plugin-descriptor.properties").write_text(
            f"description={module.name}\nversion={VERSION}\nname={module.name}\nclassname={module.main_class}\n"
            f"java.version={_MIN_JAVA}\nopensearch.version={VERSION}\ncustom.foldername=\n"
            f"extended.plugins={module.extends}\nhas.native.controller=false\n",
            encoding="utf-8",
        )
    _lay_out_knn(home / "plugins" / _KNN.name, work)
    (home / "config/log4j2.properties").write_text(_LOGGING, encoding="utf-8")
    (home / "config/jvm.options").write_text("", encoding="utf-8")


def _lay_out_knn(directory: Path, work: Path) -> None:
    out = work / _KNN.name / "out"
    directory.mkdir()
    with zipfile.ZipFile(next(out.glob("opensearch-knn*.zip"))) as plugin:
        plugin.extractall(directory)
    for jar in out.glob("*.jar"):
        if jar.name.startswith(("guava-", "failureaccess")):
            shutil.copy(jar, directory)
    descriptor = directory / "plugin-descriptor.properties"
    descriptor.write_text(descriptor.read_text().replace("lang-painless,transport-grpc", "lang-painless"))
    java, sources, classes = java_home(), work / "types", work / "classes"
    if java is None:
        raise EngineFailed(f"OpenSearch cannot be put together: {missing()}")
    for name, body in _GRPC_TYPES.items():
        file = sources / f"{name}.java"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"package {name.rpartition('/')[0].replace('/', '.')};\n{body}\n", encoding="utf-8")
    files = [str(file) for file in sources.rglob("*.java")]
    _run([str(java / "bin/javac"), "--release", str(_MIN_JAVA), "-d", str(classes), *files], cwd=work)
    _run([str(java / "bin/jar"), "cf", str(directory / "grpc-types.jar"), "-C", str(classes), "."], cwd=work)


def _run(command: Sequence[str], *, cwd: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=_MAVEN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineFailed(f"OpenSearch cannot be put together: {error}") from error
    if done.returncode:
        said = (done.stdout + done.stderr)[-2_000:]
        raise EngineFailed(f"OpenSearch cannot be put together, {Path(command[0]).name} says:\n{said}")


def _as_somebody_else() -> list[str]:
    """The command in front of a node's that takes root's rights away; it may still enter every directory."""
    if os.geteuid() != 0:
        return []
    user = (f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--securebits=+no_setuid_fixup")
    return ["setpriv", *user, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
