from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sartor.studio.launch import command
from tests.cli.conftest import Sartor


def test_without_its_extra_the_command_names_it(sartor: Sartor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda name: None)
    outcome = sartor("studio", "--no-browser")
    assert outcome.code == 1
    assert outcome.err == (
        "sartor: this needs the package streamlit; in a checkout of Sartor, "
        "install it with: pip install '.[studio]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--api", "ftp://shop"), "--api takes an address"),
        (("--api", "http://127.0.0.1:8000", "--home", "x"), "not both"),
        (("--port", "70000"), "--port"),
    ],
)
def test_wrong_usage_is_code_2(sartor: Sartor, arguments: tuple[str, ...], said: str) -> None:
    outcome = sartor("studio", *arguments)
    assert outcome.code == 2
    assert said in outcome.err


def test_it_listens_on_this_machine_only_and_tells_nobody() -> None:
    line = command(8501)
    assert "--server.address=127.0.0.1" in line
    assert "--server.allowedHosts=127.0.0.1" in line
    assert "--browser.gatherUsageStats=false" in line


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_says_where_and_ends_cleanly(home: Path, number: signal.Signals) -> None:
    pytest.importorskip("streamlit", reason="streamlit is not installed: pip install 'sartor[studio]'")
    arguments = ["studio", "--home", str(home), "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sartor", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert said.startswith("Sartor's studio listens on http://127.0.0.1:")
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_taken_port_is_told(sartor: Sartor) -> None:
    import socket

    pytest.importorskip("streamlit", reason="streamlit is not installed: pip install 'sartor[studio]'")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = sartor("studio", "--port", port)
    assert outcome.code == 1
    assert outcome.err.startswith(f"sartor: cannot listen on 127.0.0.1 port {port} (")
    assert outcome.err.endswith("); choose another with --port\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cors", "shop.example"), "cors_origins (--cors) cannot be"),
        (("--base-url", "shop.example/sartor"), "base_url (--base-url) cannot be"),
        (("--trusted-proxy", "proxy.internal"), "trusted_proxies (--trusted-proxy) cannot be"),
        (("--host", "http://0.0.0.0"), "host (--host) cannot be"),
        (("--rate-store", "http://host"), "rate_store"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line_at_start(
    sartor: Sartor, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    outcome = sartor("serve", "--home", str(tmp_path / "home"), "--workers", "1", "--port", "0", *arguments)
    assert outcome.code == 1
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_the_environment_names_several_proxies(
    sartor: Sartor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARTOR_TRUSTED_PROXY", "10.0.0.0/8 fd00::/8 nonsense")
    outcome = sartor("serve", "--home", str(tmp_path / "home"), "--port", "0")
    assert outcome.code == 1
    assert "'nonsense' is no address and no network" in outcome.err


def test_a_second_key_of_a_name_is_told(sartor: Sartor) -> None:
    assert "is named" not in sartor("keys", "create", "--scope", "read", "--name", "shop").err
    ((first,),) = ([each["id"]] for each in sartor("keys", "list", "--json").json())
    told = sartor("keys", "create", "--scope", "read", "--name", "shop")
    assert told.code == 0
    assert f"{first} is named 'shop', too; both are valid until one is deleted" in told.err
