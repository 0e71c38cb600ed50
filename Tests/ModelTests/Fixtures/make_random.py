"""Makes random.json: what torch and numpy draw, which RandomTests.swift compares with.

    python make_random.py random.json

torch is run twice, once more with ATEN_CPU_CAPABILITY=default, which it reads at start only.
Numbers are kept exactly, as hexadecimal floats or bit patterns; of long draws the SHA-256 of their
little-endian bytes, and the first ones.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys

import numpy
import torch


def summary(values):
    """An array's length, the hash of its bytes, its first and last bit patterns in hexadecimal."""
    values = numpy.ascontiguousarray(values)
    bits = values.reshape(-1).view({4: numpy.uint32, 8: numpy.uint64}[values.itemsize])
    return {
        "count": int(values.size),
        "sha256": hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest(),
        "first": " ".join(f"{int(b):x}" for b in bits[:4]),
        "last": " ".join(f"{int(b):x}" for b in bits[-2:]),
    }


def normals(dtype):
    """Draws of several lengths in one stream, so that caches and redrawn tails carry over."""
    cases = []
    for seed in (0, 42, 999, 2**40 + 42, -7):
        torch.manual_seed(seed)
        draws = []
        for count, mean, std in (
            (16, 0, 1), (3, 0, 1), (100, 0, 1), (15, 0.3, 0.7), (1, 0, 1), (17, -2.5, 0.02),
            (0, 0, 1), (31, 1, 0.02), (6400, 0, 1), (2, 0, 1), (20_001, 0.3, 0.7),
        ):
            drawn = torch.empty(count, dtype=dtype).normal_(mean, std).numpy()
            draws.append({"mean": mean, "std": std, **summary(drawn)})
        cases.append({"seed": seed, "draws": draws, "then": next20()})
    return cases


def uniforms(dtype):
    cases = []
    for seed in (0, 42):
        torch.manual_seed(seed)
        draws = []
        for count, low, high in ((5, 0, 1), (1000, -0.3, 0.45), (2000, -0.03125, 0.03125)):
            drawn = torch.empty(count, dtype=dtype).uniform_(low, high).numpy()
            draws.append({"from": low, "to": high, **summary(drawn)})
        cases.append({"seed": seed, "draws": draws, "then": next20()})
    return cases


def next20():
    return int(torch.randint(0, 2**20, (1,)).item())


def arithmetic():
    return {
        "normal32": normals(torch.float32),
        "uniform32": uniforms(torch.float32),
        "normal64": normals(torch.float64),
        "uniform64": uniforms(torch.float64),
    }


def orders():
    """Permutations, and the orders of a shuffling loader over three epochs."""
    cases = []
    for seed in (7, 42, 999):
        torch.manual_seed(seed)
        permutations = [torch.randperm(n).numpy() for n in (0, 1, 2, 12, 1000)]
        loader = torch.utils.data.DataLoader(range(700), batch_size=13, shuffle=True)
        epochs = [torch.cat(list(loader)).numpy() for _ in range(3)]
        cases.append({
            "seed": seed,
            "permutations": [p.tolist() for p in permutations[:4]],
            "permutation1000": summary(permutations[4]),
            "epochs": [summary(e) for e in epochs],
            "then": next20(),
        })
    return cases


def states():
    """States saved at different places, as hashes, and one number drawn after each."""
    cases = []
    for seed, draw in ((0, 0), (42, 3), (42, 624), (-7, 700), (5, 625)):
        torch.manual_seed(seed)
        if draw == 3:
            torch.randn(3)
        else:
            torch.rand(draw)
        blob = torch.get_rng_state().numpy().tobytes()
        cases.append({
            "seed": seed, "draw": draw, "sha256": hashlib.sha256(blob).hexdigest(),
            "then": float(torch.randn(1).item()).hex(),
        })
    return cases


def randomstate():
    cases = []
    for seed in (0, 42, 85, 2**32 - 1):
        drawn = numpy.random.RandomState(seed).randn(10_001)
        cases.append({"seed": seed, **summary(drawn)})
    return cases


if __name__ == "__main__":
    if len(sys.argv) == 1:  # the second run, for the default arithmetic
        assert torch.backends.cpu.get_cpu_capability() == "DEFAULT"
        json.dump(arithmetic(), sys.stdout)
        sys.exit()
    assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    default = subprocess.run(
        [sys.executable, __file__], env={**os.environ, "ATEN_CPU_CAPABILITY": "default"},
        check=True, capture_output=True).stdout
    libc = " ".join(platform.libc_ver())
    result = {
        "made with": f"torch {torch.__version__}, numpy {numpy.__version__}, {libc}",
        "avx2": arithmetic(),
        "default": json.loads(default),
        "orders": orders(),
        "states": states(),
        "randomstate": randomstate(),
    }
    with open(sys.argv[1], "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
