"""Compares the speed of our engine with other runtimes, and prints a table.

Figures are medians over the rounds; a runtime is represented by its fastest configuration.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import networks
import rounds

HERE = pathlib.Path(__file__).resolve().parent

# Limits runtimes to AVX2 that offer such a setting; the others run without limit.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}

# (name, batch, threads, instruction set)
WORK = [
    ("batch 64", 64, 2, "best"),
    ("batch 1", 1, 2, "best"),
    ("batch 64, one thread", 64, 1, "best"),
    ("batch 1, one thread", 1, 1, "best"),
    ("batch 64, AVX2", 64, 2, "avx2"),
]


def runners(options, paths, size, batch, threads, level):
    yield rounds.Runner(
        "bollygan", "", [options.worker, "draw", paths["safetensors"], batch, threads, level]
    )
    for runtime in options.only:
        for configuration in networks.configurations(runtime, batch):
            command = [sys.executable, HERE / "worker.py", runtime, configuration]
            command += [json.dumps(paths), batch, threads, size]
            yield rounds.Runner(runtime, configuration, command, AVX2 if level == "avx2" else {})


def compare(options, *work):
    """Figures of each runtime's fastest configuration."""
    entered = list(runners(options, *work))
    rounds.take_turns(entered, options.rounds, options.seconds)
    best = {}
    for runner in entered:
        figures = runner.figures
        if runner.name not in best or figures["seconds"] < best[runner.name]["seconds"]:
            best[runner.name] = figures
    return best


def whole(command, count):
    """Median seconds and peak memory of a command, as reported by the system."""
    seconds, memory = [], 0
    for _ in range(count):
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}")
        memory = max(memory, usage.ru_maxrss)
    return {"seconds": statistics.median(seconds), "megabytes": memory / 1024}


def print_figures(results, names):
    versions = results["work"][0]["best"]
    print(
        f"{results['processor']}, {os.cpu_count()} processors, float32, "
        f"median of {results['rounds']} rounds"
    )
    print(", ".join(f"{name} {versions[name]['version']}" for name in names[1:]), end="\n\n")

    rows = [["work", *names, "against the fastest"]]
    for work in results["work"]:
        best = work["best"]

        def cell(name):
            seconds = best[name]["seconds"]
            if work["batch"] == 1:
                figure = f"{seconds * 1e3:.3f} ms"
            else:
                figure = f"{work['batch'] / seconds:,.0f} faces/s"
            return f"{figure} {best[name]['configuration']}".strip()

        fastest = min((best[name]["seconds"] for name in names[1:]), default=float("nan"))
        ratio = fastest / best["bollygan"]["seconds"]
        rows.append([work["name"], *map(cell, names), f"{ratio:.2f}x"])
    rounds.print_table(rows)
    print()

    commands = results["whole"]
    rounds.print_table(
        [
            ["whole command, 64 faces into a PNG", *names],
            ["seconds", *(f"{commands[name]['seconds']:.3f}" for name in names)],
            ["peak memory, MB", *(f"{commands[name]['megabytes']:.0f}" for name in names)],
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="our built commands")
    parser.add_argument("--worker", type=pathlib.Path, required=True, help="our built worker")
    parser.add_argument("--model", default="models/bollygan-64.safetensors")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1, help="per runtime and round")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(networks.CONFIGURATIONS),
        help="other runtimes to compare: " + ",".join(networks.CONFIGURATIONS),
    )
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures to this file")
    options = parser.parse_args()

    results = {
        "processor": rounds.processor(),
        "rounds": options.rounds,
        "work": [],
        "whole": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = {"safetensors": options.model, "onnx": f"{folder}/model.onnx"}
        subprocess.run(
            [options.bin / "bollygan-export", paths["onnx"], "--model", options.model],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        size = networks.latent_size(options.model)

        for name, *work in WORK:
            best = compare(options, paths, size, *work)
            settings = dict(zip(("batch", "threads", "level"), work))
            results["work"].append({"name": name, **settings, "best": best})
            print(f"measured: {name}", file=sys.stderr)

        out = f"{folder}/faces.png"
        ours = [options.bin / "bollygan-infer", "--model", options.model]
        commands = {"bollygan": [*ours, "--seed", "42", "--count", "64", "--out", out]}
        for runtime in options.only:
            commands[runtime] = [sys.executable, HERE / "whole.py", runtime]
            commands[runtime] += [json.dumps(paths), size, 64, out]
        for runtime, command in commands.items():
            results["whole"][runtime] = whole(command, options.rounds)

    print_figures(results, ["bollygan", *options.only])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


main()
