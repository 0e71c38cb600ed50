"""Writes quality.json: sliced Wasserstein distance and multi-scale SSIM of small sets of images.

    python quality.py        (NumPy 2.4.6)

Each metric follows its paper in float64: pyramids by two-dimensional filters with mirrored edges,
similarity by complete 11x11 windows. Only the random places and directions are ours.
"""

import json
import math
import os

import numpy

import dcgan
from techniques import mixed

PATCHES, DIRECTIONS = 32, 128
CASES = [
    {"side": 64, "channels": 3, "pictures": 3},
    {"side": 32, "channels": 1, "pictures": 2},
    {"side": 16, "channels": 3, "pictures": 2},
    {"side": 128, "channels": 1, "pictures": 2},
]


def pictures(salt, side, channels, count):
    """Stripes with noise, 8 bits."""
    noise = dcgan.hashed(salt, count * side * side * channels) >> numpy.uint32(26)
    n, row, column, channel = numpy.ogrid[:count, :side, :side, :channels]
    n = n + salt
    stripes = ((row * (2 + n % 3) + column * (1 + n % 2)) * 2 + 40 * channel) % 192
    return (noise.reshape(count, side, side, channels) + stripes).astype(numpy.uint8)


# --- Sliced Wasserstein distance (Karras et al. 2018)


def filtered(x, kernel):
    """A 5x5 filter, with the image mirrored at its edge pixels."""
    side = len(x)
    framed = numpy.pad(x, 2, mode="reflect")
    return sum(
        kernel[i, j] * framed[i:i + side, j:j + side] for i in range(5) for j in range(5))


BINOMIAL = numpy.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def pyramid(x):
    levels = []
    while len(x) > 16:
        half = filtered(x, BINOMIAL)[::2, ::2]
        spread = numpy.zeros_like(x)
        spread[::2, ::2] = half
        levels.append(x - filtered(spread, 4 * BINOMIAL))
        x = half
    return levels + [x]


def descriptors(set_, level):
    found = []
    for index, picture in enumerate(set_):
        planes = [pyramid(picture[:, :, c].astype(float))[level] for c in range(picture.shape[2])]
        places = len(planes[0]) - 6
        for patch in range(PATCHES):
            word = mixed((level << 40 | index << 16 | patch) + 1)
            top, left = (word >> 32) % places, (word & 2**32 - 1) % places
            found.append([plane[top:top + 7, left:left + 7] for plane in planes])
    found = numpy.array(found)
    found -= found.mean(axis=(0, 2, 3), keepdims=True)
    found /= found.std(axis=(0, 2, 3), keepdims=True)
    return found.reshape(len(found), -1)


def lines(level, dimensions):
    result = []
    for number in range(DIRECTIONS):
        state = mixed(level + mixed(number))
        line = []
        while len(line) < dimensions:
            state += 0x9E3779B97F4A7C15
            word = mixed(state)
            radius = math.sqrt(-2 * math.log(((word >> 32) + 0.5) / 2**32))
            angle = 2 * math.pi * (word & 2**32 - 1) / 2**32
            line += [radius * math.cos(angle), radius * math.sin(angle)]
        line = numpy.array(line[:dimensions])
        result.append(line / numpy.linalg.norm(line))
    return numpy.array(result)


def distances(a, b):
    levels = len(pyramid(a[0][:, :, 0].astype(float)))
    result = []
    for level in range(levels):
        x, y = descriptors(a, level), descriptors(b, level)
        directions = lines(level, x.shape[1])
        x, y = (numpy.sort(set_ @ directions.T, axis=0) for set_ in (x, y))
        result.append(float(1000 * numpy.abs(x - y).mean()))
    return result


# --- Multi-scale structural similarity (Wang et al. 2003)

WINDOW = numpy.exp(-(numpy.arange(-5, 6) ** 2) / (2 * 1.5**2))
WINDOW = numpy.outer(WINDOW, WINDOW) / WINDOW.sum() ** 2
WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def similarity(a, b):
    values = []
    for c in range(a.shape[2]):
        x, y = a[:, :, c].astype(float), b[:, :, c].astype(float)
        scales = int(math.log2(len(x))) - 3
        weights = numpy.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
        product = 1.0
        for scale in range(scales):
            contrast, whole = [], []
            for i in range(len(x) - 10):
                for j in range(len(x) - 10):
                    p, q = x[i:i + 11, j:j + 11], y[i:i + 11, j:j + 11]
                    mp, mq = (WINDOW * p).sum(), (WINDOW * q).sum()
                    vp, vq = (WINDOW * (p - mp) ** 2).sum(), (WINDOW * (q - mq) ** 2).sum()
                    covariance = (WINDOW * (p - mp) * (q - mq)).sum()
                    cs = (2 * covariance + (0.03 * 255) ** 2) / (vp + vq + (0.03 * 255) ** 2)
                    luminance = (
                        (2 * mp * mq + (0.01 * 255) ** 2) / (mp**2 + mq**2 + (0.01 * 255) ** 2))
                    contrast.append(cs)
                    whole.append(cs * luminance)
            factor = numpy.mean(whole if scale == scales - 1 else contrast)
            product *= max(factor, 0) ** weights[scale]
            x, y = (z.reshape(len(z) // 2, 2, -1, 2).mean(axis=(1, 3)) for z in (x, y))
        values.append(product)
    return float(numpy.mean(values))


def mixture(a, b, share):
    """A blend of a with `share` quarters of b."""
    return (((4 - share) * a.astype(int) + share * b.astype(int)) // 4).astype(numpy.uint8)


def main():
    result = []
    for case in CASES:
        a, b = (pictures(salt, case["side"], case["channels"], case["pictures"])
                for salt in (70_000, 70_001))
        result.append({**case, "distances": distances(a, b),
                       "similarities": [
                           similarity(a[0], mixture(a[0], b[0], share)) for share in (0, 1, 2, 4)]})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "quality.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(r) for r in result) + "\n]\n")


main()
