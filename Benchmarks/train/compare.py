"""Times a training step of the article's recipe beside PyTorch's and prints one table."""

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
parser.add_argument("--seconds", type=float, default=5, help="of each in each round")
parser.add_argument(
    "--configurations", nargs="+", choices=CONFIGURATIONS, default=CONFIGURATIONS,
    help="PyTorch's; bfloat16 takes minutes a step where the processor does not have it")
parser.add_argument("--json", type=pathlib.Path, help="write the figures there as well")
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
rows = [["", "pictures/s", "seconds a step", "most memory, MB", "ours beside it"]]
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
