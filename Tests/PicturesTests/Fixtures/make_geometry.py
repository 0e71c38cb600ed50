"""Makes geometry.csv: what torchvision's transforms give for pictures of a formula.

    python make_geometry.py

Made with torch 2.15.0, torchvision 0.29.2, Pillow 13.0.0, numpy 2.4.6. Sample c of pixel (x, y) is
7x² + 3y² + 5xy + 13(x xor y) + 71c, modulo 256, which the tests compute as well.

Columns: width, height, channels, the transform and its number or numbers, size of the outcome,
CRC-32 of its samples. Transforms: "crop" CenterCrop(a), "fit" Resize(a) then CenterCrop(a),
"short" Resize(a), "size" Resize((b, a)) for width a and height b, "grid" make_grid of a pictures in
b columns, of which number i is the formula's with 29i added.
"""

import pathlib
import zlib

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from torchvision.utils import make_grid

HERE = pathlib.Path(__file__).parent


def samples(width, height, channels, plus=0):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return ((7 * x * x + 3 * y * y + 5 * x * y + 13 * (x ^ y) + 71 * c + plus) % 256).astype(
        np.uint8
    )


def image(width, height, channels):
    values = samples(width, height, channels)
    return Image.fromarray(values if channels == 3 else values[..., 0])


def line(width, height, channels, name, a, b, outcome):
    outcome = np.asarray(outcome)
    size = f"{outcome.shape[1]},{outcome.shape[0]}"
    return f"{width},{height},{channels},{name},{a},{b},{size},{zlib.crc32(outcome.tobytes()):08x}"


def table():
    lines = ["width,height,channels,transform,a,b,new width,new height,sum"]
    sizes = [
        (64, 64),
        (250, 250),
        (178, 218),
        (1, 1),
        (1, 300),
        (300, 1),
        (2, 3),
        (33, 47),
        (63, 64),
    ]
    sizes += [(64, 63), (65, 64), (64, 65), (65, 65), (96, 96), (128, 128), (127, 129), (70, 500)]
    sizes += [
        (500, 70),
        (640, 96),
        (96, 640),
        (70, 120),
        (70, 129),
        (70, 130),
        (70, 131),
        (64, 200),
    ]
    sizes += [(200, 64), (1000, 3), (3, 1000), (513, 511), (31, 97), (640, 480), (480, 640)]
    sizes += [(3 + 17 * i % 311, 3 + 29 * i % 283) for i in range(60)]
    for number, (width, height) in enumerate(sizes):
        channels = 1 if number % 3 == 2 else 3
        source = image(width, height, channels)
        for side in (64,) if number > 40 else (64, 32, 128):
            # Beyond this the outcome is many thousand pixels long.
            if max(width, height) * side // min(width, height) > 8000:
                continue
            short = transforms.Resize(side)
            crop = transforms.CenterCrop(side)
            lines.append(line(width, height, channels, "fit", side, 0, crop(short(source))))
            lines.append(line(width, height, channels, "short", side, 0, short(source)))
        for side in (5, 40, 64):
            lines.append(
                line(width, height, channels, "crop", side, 0, transforms.CenterCrop(side)(source))
            )
        for size in ((64, 64), (17, 90), (100, 9)):
            resized = transforms.Resize(size[::-1])(source)
            lines.append(line(width, height, channels, "size", *size, resized))
    for count, columns, channels in [
        (64, 8, 3),
        (1, 8, 3),
        (5, 8, 3),
        (8, 8, 3),
        (9, 8, 3),
        (7, 3, 3),
        (4, 1, 3),
    ]:
        batch = np.stack([samples(12, 10, channels, 29 * i) for i in range(count)])
        planar = torch.from_numpy(batch).permute(0, 3, 1, 2)
        outcome = make_grid(planar, nrow=columns, padding=2).permute(1, 2, 0).contiguous()
        lines.append(line(12, 10, channels, "grid", count, columns, outcome))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "geometry.csv").write_text(table())
