"""What every Python test needs: the built commands, and the larger data where a machine has it."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _command(name):
    folder = pathlib.Path(os.environ.get("BOLLYGAN_BIN", ROOT / ".build" / "release"))
    path = folder / name
    if not path.exists():
        pytest.fail(f"{path} is missing: `make build`, or name another folder in BOLLYGAN_BIN")

    def run(*arguments, status=0, input=None, cwd=None, timeout=300):
        """Runs the command and checks how it ended; bytes in `stdout` and `stderr`."""
        done = subprocess.run(
            [path, *map(str, arguments)],
            input=input if input is not None else b"",
            capture_output=True,
            cwd=cwd,
            timeout=timeout,
        )
        assert done.returncode == status, (
            f"{name} {' '.join(map(str, arguments))} ended with {done.returncode}, not {status}:\n"
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
    """The folder of larger data that BOLLYGAN_SHARED names; a test that needs it is skipped without."""
    folder = os.environ.get("BOLLYGAN_SHARED")
    if not folder or not pathlib.Path(folder).is_dir():
        pytest.skip("BOLLYGAN_SHARED names no folder of larger data")
    return pathlib.Path(folder)


def pytest_report_header():
    shared = os.environ.get("BOLLYGAN_SHARED")
    return f"larger data (BOLLYGAN_SHARED): {shared or 'none, tests that need it are skipped'}"
