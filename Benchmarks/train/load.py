"""Compares reading image folders with torchvision's loader, and times the first training step."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import rounds

HERE = pathlib.Path(__file__).resolve().parent

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folders", type=pathlib.Path, nargs="*", help="folders of images")
parser.add_argument("--train", type=pathlib.Path, required=True, help="our built command")
parser.add_argument("--side", type=int, default=64)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=1, help="per program and round, at least")
parser.add_argument("--json", type=pathlib.Path, help="also write the figures to this file")
options = parser.parse_args()


def seconds_until(event, folder, *arguments):
    """Seconds from the start of the command until it logs an event, and that event."""
    with tempfile.TemporaryDirectory() as place:
        command = [options.train, folder, "--out", f"{place}/run", "--json", "--quiet"]
        command += ["--side", options.side, "--threads", options.threads, *arguments]
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, text=True
        )
        for line in process.stdout:
            found = json.loads(line)
            if found["event"] == event:
                seconds = time.perf_counter() - start
                process.kill()
                process.wait()
                return seconds, found
        sys.exit(f"{folder}: training ended without a {event}")


class Reading:
    """Times our command until all images are in memory, including its start and the initialisation
    of a small network. Works like rounds.Runner."""

    def __init__(self, folder):
        self.folder, self.rounds = folder, []

    def run(self, seconds):
        end, times = time.perf_counter() + seconds, []
        while not times or time.perf_counter() < end:
            taken, event = seconds_until("start", self.folder, "--width", 4, "--latent", 8)
            self.count = event["pictures"]
            times.append(taken / self.count)
        self.rounds.append(statistics.median(times))

    def close(self):
        self.figures = {"pictures": self.count, "seconds": statistics.median(self.rounds)}


def draw_folders(place):
    """Writes drawn faces as JPEG files, for users without photographs at hand."""
    from PIL import Image

    for side, count in [(64, 4000), (256, 1500)]:
        drawn = pathlib.Path(place) / f"drawn-{side}"
        words = [options.train, "draw-faces", drawn, "--count", count, "--side", side, "--quiet"]
        subprocess.run([str(word) for word in words], check=True)
        folder = pathlib.Path(place) / f"{min(side, 250)}"
        folder.mkdir()
        for path in drawn.glob("*.png"):
            picture = Image.open(path).convert("RGB")
            if side > 250:
                picture = picture.resize((250, 250), Image.Resampling.BICUBIC)
            picture.save(folder / f"{path.stem}.jpg", quality=90)
        yield folder


def measure(folder):
    command = [sys.executable, HERE / "loader.py", folder, options.side, options.threads]
    entered = [Reading(folder)] + [
        rounds.Runner("torchvision", f"{workers} workers", [*command, workers])
        for workers in (0, options.threads)
    ]
    rounds.take_turns(entered, options.rounds, options.seconds)
    ours, *theirs = [1 / runner.figures["seconds"] for runner in entered]
    first = statistics.median(seconds_until("step", folder)[0] for _ in range(options.rounds))
    return {
        "folder": folder.name,
        "pictures": entered[0].count,
        "ours": ours,
        "alone": theirs[0],
        "workers": theirs[1],
        "first_step": first,
        "version": entered[1].version,
    }


with tempfile.TemporaryDirectory() as place:
    found = [measure(folder) for folder in options.folders or draw_folders(place)]

print(
    f"{rounds.processor()}, {os.cpu_count()} processors, {options.threads} threads, read as "
    f"{options.side}x{options.side}, median of {options.rounds} rounds, torchvision "
    f"{found[0]['version']}; images/s except in the last two columns\n"
)
title = ["folder", "images", "bollygan", "torchvision", f"with {options.threads} workers"]
rows = [[*title, "our speed-up", "first step, s"]]
for figures in found:
    speeds = [f"{figures[name]:.0f}" for name in ("ours", "alone", "workers")]
    best = max(figures["alone"], figures["workers"])
    rows.append(
        [figures["folder"], str(figures["pictures"]), *speeds]
        + [f"{figures['ours'] / best:.1f}x", f"{figures['first_step']:.2f}"]
    )
rounds.print_table(rows)

if options.json:
    text = json.dumps({"processor": rounds.processor(), "figures": found}, indent=1)
    options.json.write_text(text + "\n")
