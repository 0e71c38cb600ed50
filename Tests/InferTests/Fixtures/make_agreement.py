"""Makes agreement.json: images drawn by PyTorch's generator in float64, eval mode.

The weights are not stored. They follow from a formula in 32-bit integers and float32 that this
script and DrawnGenerator.swift both compute exactly. Each case has sampled pixels and two sums
over all pixels. The cases cover every pair of values of nz, ngf, side and channels.

Made with Python 3.11.7, PyTorch 2.15.0, numpy 2.4.6:

    python make_agreement.py > agreement.json
"""

import itertools
import json

import numpy as np
import torch
from torch import nn

LATENTS = 2
SAMPLES = 96
WIDTHS = {"nz": [37, 64, 100, 128], "ngf": [20, 48, 64], "side": [32, 64, 128], "channels": [1, 3]}


def noise(seed, tensor, count):
    """Uniform numbers in -1...1, exact in float32: the lowbias32 hash of a counter."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    with np.errstate(over="ignore"):
        x += np.uint32(tensor) * np.uint32(0x85EBCA6B) + np.uint32(seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)


def spread(seed, tensor, shape, centre, radius):
    values = noise(seed, tensor, int(np.prod(shape)))
    values = np.float32(centre) + np.float32(radius) * values
    return torch.from_numpy(values.reshape(shape)).double()


def channels_of(nz, ngf, side, channels):
    doublings = side.bit_length() - 3
    return [nz] + [ngf << (doublings - 1 - k) for k in range(doublings)] + [channels]


def radius_of(layer, inputs):
    """Half the width of a kernel's uniform distribution that gives outputs unit variance."""
    return float(np.float32((3 / (inputs * (1 if layer == 0 else 4))) ** 0.5))


def generator(seed, nz, ngf, side, channels):
    """The tutorial's module, without its tanh."""
    widths = channels_of(nz, ngf, side, channels)
    modules = []
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        stride, padding = (1, 0) if layer == 0 else (2, 1)
        convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False).double()
        shape = (inputs, outputs, 4, 4)
        radius = radius_of(layer, inputs)
        convolution.weight.data = spread(seed, 8 * layer, shape, 0, radius)
        modules.append(convolution)
        if layer < len(widths) - 2:
            norm = nn.BatchNorm2d(outputs).double()
            norm.weight.data = spread(seed, 8 * layer + 1, (outputs,), 1, 0.5)
            norm.bias.data = spread(seed, 8 * layer + 2, (outputs,), 0, 0.25)
            norm.running_mean = spread(seed, 8 * layer + 3, (outputs,), 0, 0.25)
            norm.running_var = spread(seed, 8 * layer + 4, (outputs,), 1, 0.75)
            modules += [norm, nn.ReLU()]
    return nn.Sequential(*modules).eval()


def covering_cases():
    """Few cases that cover every pair of values of two parameters: greedy, in a fixed order."""
    names = list(WIDTHS)
    everything = list(itertools.product(*WIDTHS.values()))

    def pairs(case):
        return {(a, case[a], b, case[b]) for a, b in itertools.combinations(range(4), 2)}

    missing = set().union(*map(pairs, everything))
    while missing:
        case = max(everything, key=lambda case: len(missing & pairs(case)))
        missing -= pairs(case)
        yield dict(zip(names, case))


def main():
    cases = []
    for seed, case in enumerate(covering_cases(), start=1):
        model = generator(seed, **case)
        latents = spread(seed, 255, (LATENTS, case["nz"]), 0, np.float32(3**0.5))
        with torch.no_grad():
            # A power of two scales the last layer so that tanh is neither linear nor saturated.
            raw = model(latents.reshape(LATENTS, -1, 1, 1))
            gain = 2.0 ** round(float(-torch.log2(raw.square().mean().sqrt())))
            rms = float((raw * gain).square().mean().sqrt())
            pictures = torch.tanh(raw * gain)
        assert 0.5 <= rms <= 1.5, rms
        flat = pictures.flatten().numpy()
        places = (noise(seed, 254, SAMPLES).astype(np.float64) * 0.5 + 0.5) * len(flat)
        places = sorted({0, len(flat) - 1, *places.astype(int).tolist()})
        cases.append(
            dict(
                seed=seed,
                **case,
                latents=LATENTS,
                gain=gain,
                rms=round(rms, 3),
                places=places,
                values=[float(flat[place]) for place in places],
                sum=float(flat.sum()),
                squares=float((flat * flat).sum()),
            )
        )
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


main()
