"""What a user of a Python runtime runs instead of `bollygan-infer --out faces.png`:

    whole.py RUNTIME PATHS SIZE COUNT OUT
"""

import json
import sys

import networks
import numpy as np
from PIL import Image

runtime, paths, size, count, out = sys.argv[1:]
count = int(count)
draw = networks.OPEN[runtime](
    json.loads(paths), count, 2, networks.CONFIGURATIONS[runtime][0]
)
pictures = draw(networks.latents(count, int(size)))

columns, side, padding = 8, pictures.shape[-1], 2
rows = -(-count // columns)
grid = np.zeros(
    (rows * (side + padding) + padding, columns * (side + padding) + padding, 3), np.uint8
)
for place, picture in enumerate(pictures):
    top = padding + place // columns * (side + padding)
    left = padding + place % columns * (side + padding)
    grid[top : top + side, left : left + side] = np.clip(
        (picture.transpose(1, 2, 0) + 1) / 2 * 255 + 0.5, 0, 255
    )
Image.fromarray(grid).save(out)
