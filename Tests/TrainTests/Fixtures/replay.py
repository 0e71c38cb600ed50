"""Writes replay.json: 50 steps of both scripts at a small width, in float64.

    python replay.py        (PyTorch 2.15.0, NumPy; the CPU's float64 arithmetic)

Random numbers are drawn in float32 as in the scripts, then widened, so initial weights, order and
latents are the scripts'. Prints PyTorch's difference from itself with another memory layout
(channels last).
"""

import json
import os

import numpy
import torch
from torch.utils.data import DataLoader, TensorDataset

import dcgan

PICTURES = 200
BATCH = 16
STEPS = 50
WIDTH = 8
CASES = [
    {"recipe": "tutorial", "seed": 999, "preview": True},
    {"recipe": "tutorial", "seed": 20261123, "preview": False},
    {"recipe": "article", "seed": 999, "preview": True},
    {"recipe": "article", "seed": 7, "preview": False},
]


def cartoon(index):
    """A 64x64 face in integer arithmetic, so that Python and Swift draw the same bytes."""
    words = [int(w) for w in dcgan.hashed(50_000 + index, 24)]
    background, skin, eyes, mouth = (
        [48 + words[3 * i + c] % 160 for c in range(3)] for i in range(4))
    cx, cy = 27 + words[12] % 11, 27 + words[13] % 11
    a, b = 14 + words[14] % 10, 18 + words[15] % 10
    apart, height, radius = 5 + words[16] % 5, words[17] % 8, 2 + words[18] % 3
    wide, low = 3 + words[19] % 7, 6 + words[20] % 6
    picture = numpy.zeros((64, 64, 3), dtype=numpy.uint8)
    for y in range(64):
        for x in range(64):
            dx, dy = x - cx, y - cy
            colour = background
            if dx * dx * b * b + dy * dy * a * a <= a * a * b * b:
                colour = skin
                ex = abs(dx) - apart
                if ex * ex + (dy + height) * (dy + height) <= radius * radius:
                    colour = eyes
                elif abs(dx) <= wide and 0 <= dy - low <= 2:
                    colour = mouth
            picture[y, x] = [c * (96 + y) // 160 for c in colour]
    return picture


def run(case, pixels, layout):
    """The losses of STEPS steps and both networks, with random numbers in the script's order."""
    torch.manual_seed(case["seed"])
    article = case["recipe"] == "article"
    nz = 64 if article else 100
    loader = DataLoader(TensorDataset(torch.arange(PICTURES)), batch_size=BATCH, shuffle=True)
    if case["preview"]:
        next(iter(loader))
    if article:
        discriminator = dcgan.Discriminator(WIDTH, 64, 3, True)
        generator = dcgan.Generator(nz, WIDTH, 64, 3)
        torch.randn(BATCH, nz, 1, 1)
    else:
        generator = dcgan.Generator(nz, WIDTH, 64, 3)
        generator.apply(dcgan.weights_init)
        discriminator = dcgan.Discriminator(WIDTH, 64, 3, False)
        discriminator.apply(dcgan.weights_init)
    torch.randn(64, nz, 1, 1)  # the fixed latents
    networks = [n.double().to(memory_format=layout) for n in (generator, discriminator)]
    trainer = dcgan.Trainer(*networks, 0.0002, 0.0002)
    history = []
    while True:
        for (indices,) in loader:
            real = dcgan.pictures(pixels[indices.numpy()], torch.float64)
            real = real.contiguous(memory_format=layout)
            count = BATCH if article else len(indices)
            latents = torch.randn(count, nz, 1, 1).double()
            fresh = torch.randn(count, nz, 1, 1).double() if article else None
            losses, _, _ = trainer.step(real, latents, fresh)
            history.append(losses)
            if len(history) == STEPS:
                return history, generator, discriminator


def main():
    pixels = numpy.stack([cartoon(i) for i in range(PICTURES)])
    result = {"pixel_sum": int(pixels.astype(numpy.int64).sum()), "cases": []}
    for case in CASES:
        history, generator, discriminator = run(case, pixels, torch.contiguous_format)
        other, _, _ = run(case, pixels, torch.channels_last)
        off = max(abs(a[k] - b[k]) / abs(a[k]) for a, b in zip(history, other) for k in a)
        print(f"{case}: its two layouts differ by {off:.1e}")
        names = ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"]
        weights = lambda network: {
            name: t for name, t in network.state_dict().items() if not name.endswith("tracked")}
        result["cases"].append({
            **case, "losses": [[step[name] for name in names] for step in history],
            "generator": dcgan.digests(weights(generator)),
            "discriminator": dcgan.digests(weights(discriminator)),
        })
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "replay.json")
    with open(path, "w") as file:
        file.write(json.dumps(result).replace('], [', '],\n[') + "\n")


main()
