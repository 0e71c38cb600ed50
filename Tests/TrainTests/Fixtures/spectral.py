"""Writes spectral.json: the largest singular value of kernels from the formula, by LAPACK's SVD.

    python spectral.py        (NumPy 2.4.6)
"""

import json
import os

import numpy

import dcgan

KERNELS = [(4, 3), (8, 4), (1, 16), (24, 12), (3, 1)]


def main():
    result = []
    for salt, (outputs, inputs) in enumerate(KERNELS, 60_000):
        kernel = dcgan.uniform(salt, outputs * inputs * 16).reshape(outputs, inputs * 16)
        values = numpy.linalg.svd(kernel, compute_uv=False)
        result.append({
            "salt": salt, "outputs": outputs, "inputs": inputs, "largest": float(values[0]),
            # Each round of power iteration shrinks the vectors' error by the square of this.
            "ratio": float(values[1] / values[0]) if outputs > 1 else 0.0})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spectral.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(r) for r in result) + "\n]\n")


main()
