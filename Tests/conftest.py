"""Fixtures for every Python test: the built commands, and a folder of larger test data."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _command(name):
    folder = pathlib.Path(os.environ.get("BOLLYGAN_BIN", ROOT / ".build" / "release"))
    path = folder / name
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make build`, or set BOLLYGAN_BIN to its folder")

    def run(*arguments, status=0, input=None, cwd=None, timeout=300):
        """Runs the command, checks its exit status, and returns `stdout` and `stderr` as bytes."""
        done = subprocess.run(
            [path, *map(str, arguments)],
            input=input if input is not None else b"",
            capture_output=True,
            cwd=cwd,
            timeout=timeout,
        )
        assert done.returncode == status, (
            f"{name} {' '.join(map(str, arguments))}: exit status {done.returncode}, not {status}:\n"
            + done.stderr.decode(errors="replace")
        )
        return done

    run.path = path
    return run


@pytest.fixture(scope="session")
def bollygan_infer():
    return _command("bollygan-infer")


@pytest.fixture(scope="session")
def bollygan_train():
    return _command("bollygan-train")


@pytest.fixture(scope="session")
def bollygan_export():
    return _command("bollygan-export")


@pytest.fixture(scope="session")
def shared():
    """The folder in BOLLYGAN_SHARED. Tests that need it are skipped if it is not set."""
    folder = os.environ.get("BOLLYGAN_SHARED")
    if not folder or not pathlib.Path(folder).is_dir():
        pytest.skip("BOLLYGAN_SHARED is not set to a folder of larger test data")
    return pathlib.Path(folder)


def pytest_report_header():
    shared = os.environ.get("BOLLYGAN_SHARED")
    return f"larger test data (BOLLYGAN_SHARED): {shared or 'none, its tests are skipped'}"
