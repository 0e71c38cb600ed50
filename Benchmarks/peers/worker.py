"""Draws a batch again and again for as long as each line of standard input says, in seconds, and
answers with the number of batches and the time of one, as our own Worker does."""

import json
import sys
import time

import networks

runtime, configuration, paths, batch, threads, size = sys.argv[1:]
draw = networks.OPEN[runtime](json.loads(paths), int(batch), int(threads), configuration)
batches = getattr(draw, "batches", 1)
latents = networks.latents(int(batch), int(size))
for _ in range(3):  # Compiles, allocates, and lets caches fill.
    draw(latents)
print("ready", networks.version(runtime), flush=True)

for line in sys.stdin:
    end = time.perf_counter() + float(line)
    times = []
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        draw(latents)
        times.append((time.perf_counter() - start) / batches)
    times.sort()
    print(len(times) * batches, times[len(times) // 2], flush=True)
