"""Compares the time of a training step (the article's recipe) with PyTorch; prints a table."""

import argparse
import json
import os
import pathlib
import sys

import rounds

HERE = pathlib.Path(__file__).resolve().parent
CONFIGURATIONS = ["float32", "channels_last", "bfloat16"]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--worker", type=pathlib.Path, required=True, help="our built worker")
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--seconds", type=float, default=5, help="per program and round")
parser.add_argument(
    "--configurations", nargs="+", choices=CONFIGURATIONS, default=CONFIGURATIONS,
    help="of PyTorch; without hardware support, a step in bfloat16 takes minutes")
parser.add_argument("--json", type=pathlib.Path, help="also write the figures to this file")
options = parser.parse_args()

entered = [
    rounds.Runner("bollygan", "", [options.worker, "train", options.batch, options.threads, "best"])
] + [
    rounds.Runner(
        "pytorch",
        configuration,
        [sys.executable, HERE / "worker.py", configuration, options.batch, options.threads],
    )
    for configuration in options.configurations
]
rounds.take_turns(entered, options.rounds, options.seconds)

print(
    f"{rounds.processor()}, {os.cpu_count()} processors, {options.threads} threads, batch "
    f"{options.batch}, median of {options.rounds} rounds, PyTorch {entered[1].version}\n"
)
ours = entered[0].figures
rows = [["", "images/s", "seconds per step", "peak memory, MB", "our speed-up"]]
for runner in entered:
    figures = runner.figures
    rows.append(
        [
            f"{runner.name} {runner.configuration}".strip(),
            f"{options.batch / figures['seconds']:.0f}",
            f"{figures['seconds']:.3f}",
            f"{figures['megabytes']:.0f}",
            f"{figures['seconds'] / ours['seconds']:.2f}x",
        ]
    )
rounds.print_table(rows)

if options.json:
    figures = [{"name": runner.name, **runner.figures} for runner in entered]
    options.json.write_text(
        json.dumps({"processor": rounds.processor(), "figures": figures}, indent=1) + "\n"
    )
