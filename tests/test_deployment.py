"""What containers and clusters are given: linters and schemas accept it, and it names what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from sartor import config
from sartor.cli.app import app
from sartor.config import ENV_PREFIX, ServiceSettings, Settings

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "deploy" / "kubernetes" / "sartor.yaml"
COMPOSE = ROOT / "compose.yaml"
DOCKERFILE = ROOT / "Dockerfile"


def check(*command: str) -> None:
    program = shutil.which(command[0], path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(f"{command[0]} is not installed: make test-engines installs it")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_passes_its_linter() -> None:
    check("hadolint", "--failure-threshold", "style", str(DOCKERFILE))


def test_the_compose_file_follows_its_schema() -> None:
    check("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_the_manifests_follow_the_schema_of_kubernetes(version: str) -> None:
    check("kubernetes-validate", "--strict", "--kubernetes-version", version, str(MANIFEST))


def started() -> list[list[str]]:
    """The arguments of each Sartor that is started somewhere."""
    compose = yaml.safe_load(COMPOSE.read_text())["services"]
    pods = [one["spec"]["template"]["spec"] for one in documents() if one["kind"] == "Deployment"]
    (image,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE.read_text(), re.MULTILINE)
    return [
        yaml.safe_load(image),
        *(compose[name]["command"] for name in ("sartor", "indexer")),
        *(container["args"] for pod in pods for container in pod["containers"]),
    ]


def documents() -> list[dict]:  # type: ignore[type-arg]
    return list(yaml.safe_load_all(MANIFEST.read_text()))


@pytest.mark.parametrize("arguments", started(), ids=" ".join)
def test_the_commands_and_their_options_exist(arguments: list[str]) -> None:
    command = get_command(app).commands[arguments[0]]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_the_variables_are_settings_and_the_engines_have_extras() -> None:
    compose = yaml.safe_load(COMPOSE.read_text())["services"]["sartor"]["environment"]
    (secret,) = [one["stringData"] for one in documents() if one["kind"] == "Secret"]
    known = {f"{ENV_PREFIX}{name}".upper() for name in (*Settings.model_fields, *ServiceSettings.model_fields)}
    known |= set(config.OTHER_VARIABLES)
    for variables in (compose, secret):
        assert {name for name in variables if name.startswith(ENV_PREFIX)} <= known
    (extras,) = re.findall(r'"\.\[(.*)\]"', DOCKERFILE.read_text())
    declared = (ROOT / "pyproject.toml").read_text()
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", declared, re.MULTILINE)


def test_the_user_and_the_directory_are_the_same_everywhere() -> None:
    dockerfile = DOCKERFILE.read_text()
    assert "USER 10001" in dockerfile
    for one in documents():
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsUser"] == 10001
            mounts = {mount["mountPath"] for container in pod["containers"] for mount in container["volumeMounts"]}
            assert mounts == {"/data", "/tmp"}  # noqa: S108 - a mount
    assert "VOLUME /data" in dockerfile


def test_a_container_has_the_memory_of_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_MEMORY_LIMIT", tmp_path / "memory.max")
    machine = config.memory_bytes()
    assert machine > 1 << 28
    (tmp_path / "memory.max").write_text("max\n")
    assert config.memory_bytes() == machine
    (tmp_path / "memory.max").write_text(f"{1 << 27}\n")
    assert config.memory_bytes() == 1 << 27


@pytest.mark.parametrize(("limit", "expected"), [("max 100000", 4), ("150000 100000", 2), ("50000 100000", 1)])
def test_a_container_has_the_cores_of_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, expected: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(config, "_CPU_LIMIT", tmp_path / "cpu.max")
    assert config.cores() == 4
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    assert config.cores() == expected
