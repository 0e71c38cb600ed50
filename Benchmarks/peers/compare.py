"""Times our engine beside other runtimes and prints one table.

Every runtime is a process of its own that waits while others are timed. A round asks each of them in
turn for the same stretch of time, so that whatever slows the machine slows all of them; a figure is
the median over the rounds, and a runtime's figure that of its best configuration.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import networks

HERE = pathlib.Path(__file__).resolve().parent

# What obeys a limit to AVX2; the others are shown as they are.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}

# (what it is called, batch, threads, level)
WORK = [
    ("batch 64", 64, 2, "best"),
    ("batch 1", 1, 2, "best"),
    ("batch 64, one thread", 64, 1, "best"),
    ("batch 1, one thread", 1, 1, "best"),
    ("batch 64, AVX2", 64, 2, "avx2"),
]


class Runner:
    """A process that draws when it is asked to."""

    def __init__(self, runtime, configuration, command, level):
        self.runtime, self.configuration = runtime, configuration
        self.rounds = []
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (AVX2 if level == "avx2" else {}),
        )
        first = self.process.stdout.readline().split()
        if not first or first[0] != "ready":
            raise SystemExit(
                f"{runtime} ({configuration}) does not start:\n{self.process.stderr.read()}"
            )
        self.version = first[1]

    def run(self, seconds):
        """Seconds for one batch, the median over the stretch."""
        print(seconds, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline().split()[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def runners(options, paths, size, batch, threads, level):
    yield Runner(
        "bollygan", "", [options.worker, paths["safetensors"], batch, threads, level], level
    )
    for runtime in options.only:
        for configuration in networks.configurations(runtime, batch):
            yield Runner(
                runtime,
                configuration,
                [
                    sys.executable,
                    HERE / "worker.py",
                    runtime,
                    configuration,
                    json.dumps(paths),
                    batch,
                    threads,
                    size,
                ],
                level,
            )


def compare(options, paths, size, batch, threads, level):
    """Each runtime's best configuration, its seconds a batch and their spread over the rounds."""
    all_runners = list(runners(options, paths, size, batch, threads, level))
    for number in range(options.rounds):
        # Each begins a round once, so that nobody is always the first after a pause.
        start = number % len(all_runners)
        for runner in all_runners[start:] + all_runners[:start]:
            time.sleep(0.05)
            runner.rounds.append(runner.run(options.seconds))
    best = {}
    for runner in all_runners:
        runner.close()
        median = statistics.median(runner.rounds)
        if runner.runtime not in best or median < best[runner.runtime]["seconds"]:
            best[runner.runtime] = {
                "configuration": runner.configuration,
                "version": runner.version,
                "seconds": median,
                "fastest": min(runner.rounds),
                "slowest": max(runner.rounds),
            }
    return best


def whole(command, rounds):
    """Median seconds and the most memory of a command, as the system counts them."""
    seconds, memory = [], 0
    for _ in range(rounds):
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
        memory = max(memory, usage.ru_maxrss)
    return {"seconds": statistics.median(seconds), "megabytes": memory / 1024}


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(": ")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="our built commands")
    parser.add_argument("--worker", type=pathlib.Path, required=True, help="our built Worker")
    parser.add_argument("--model", default="models/bollygan-64.safetensors")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1, help="of each runtime in each round")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(networks.CONFIGURATIONS),
        help="runtimes beside ours: " + ",".join(networks.CONFIGURATIONS),
    )
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there as well")
    options = parser.parse_args()

    results = {"processor": processor(), "rounds": options.rounds, "work": [], "whole": {}}
    with tempfile.TemporaryDirectory() as folder:
        paths = {"safetensors": options.model, "onnx": f"{folder}/model.onnx"}
        subprocess.run(
            [options.bin / "bollygan-export", paths["onnx"], "--model", options.model],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        size = networks.latent_size(options.model)
        for name, batch, threads, level in WORK:
            best = compare(options, paths, size, batch, threads, level)
            results["work"].append(
                {"name": name, "batch": batch, "threads": threads, "level": level} | {"best": best}
            )
            print(f"measured: {name}", file=sys.stderr)

        out = f"{folder}/faces.png"
        commands = {
            "bollygan": [
                options.bin / "bollygan-infer",
                *("--model", options.model, "--seed", "42", "--count", "64", "--out", out),
            ]
        } | {
            runtime: [
                sys.executable,
                HERE / "whole.py",
                runtime,
                json.dumps(paths),
                size,
                64,
                out,
            ]
            for runtime in options.only
        }
        for runtime, command in commands.items():
            results["whole"][runtime] = whole(command, options.rounds)

    names = ["bollygan", *options.only]
    versions = results["work"][0]["best"]
    print(f"{results['processor']}, {os.cpu_count()} processors, float32, median of {options.rounds}")
    print(", ".join(f"{name} {versions[name]['version']}" for name in names[1:]), end="\n\n")
    rows = [["work", *names, "beside the fastest"]]
    for work in results["work"]:
        best = work["best"]
        fastest = min((best[name]["seconds"] for name in names[1:]), default=float("nan"))

        def cell(name):
            seconds = best[name]["seconds"]
            if work["batch"] == 1:
                figure = f"{seconds * 1e3:.3f} ms"
            else:
                figure = f"{work['batch'] / seconds:,.0f} faces/s"
            return f"{figure} {best[name]['configuration']}".strip()

        rows.append(
            [
                work["name"],
                *map(cell, names),
                f"{fastest / best['bollygan']['seconds']:.2f}x",
            ]
        )
    print_table(rows)
    print()
    rows = [["whole command", *names]]
    rows.append(["seconds", *(f"{results['whole'][name]['seconds']:.3f}" for name in names)])
    rows.append(["most memory, MB", *(f"{results['whole'][name]['megabytes']:.0f}" for name in names)])
    print_table(rows)

    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


main()
