"""Draws a batch repeatedly with another runtime, as Worker does with ours."""

import json
import sys

import networks
import rounds

runtime, configuration, paths, batch, threads, size = sys.argv[1:]
draw = networks.OPEN[runtime](json.loads(paths), int(batch), int(threads), configuration)
batches = getattr(draw, "batches", 1)
latents = networks.latents(int(batch), int(size))
for _ in range(3):  # Compiles, allocates, and lets caches fill.
    draw(latents)


def work():
    draw(latents)
    return batches


rounds.answer_rounds(networks.version(runtime), work)
