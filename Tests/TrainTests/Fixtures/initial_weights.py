"""Writes initial-weights.json: hashes of both scripts' initial weights and random numbers, by seed.

    python initial_weights.py        (PyTorch 2.15.0, x86-64 with AVX2)
"""

import hashlib
import json
import os

import torch
from torch.utils.data import DataLoader, TensorDataset

import dcgan

PICTURES = 1000
CASES = [
    {"recipe": "tutorial", "seed": 999, "preview": True},
    {"recipe": "tutorial", "seed": 999, "preview": False},
    {"recipe": "tutorial", "seed": -5, "preview": True},
    {"recipe": "article", "seed": 999, "preview": True},
    {"recipe": "article", "seed": 42, "preview": False},
]


def hash_of(*tensors):
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def main():
    result = []
    for case in CASES:
        article = case["recipe"] == "article"
        nz = 64 if article else 100
        torch.manual_seed(case["seed"])
        loader = DataLoader(TensorDataset(torch.arange(PICTURES)), batch_size=128, shuffle=True)
        if case["preview"]:
            next(iter(loader))
        if article:
            discriminator = dcgan.Discriminator(64, 64, 3, True)
            generator = dcgan.Generator(nz, 64, 64, 3)
            torch.randn(128, nz, 1, 1)
        else:
            generator = dcgan.Generator(nz, 64, 64, 3)
            generator.apply(dcgan.weights_init)
            discriminator = dcgan.Discriminator(64, 64, 3, False)
            discriminator.apply(dcgan.weights_init)
        fixed = torch.randn(64, nz, 1, 1)
        order, latents = [], []
        for _ in range(2):  # epochs
            for (indices,) in loader:
                order.append(indices)
                count = 128 if article else len(indices)
                latents.append(torch.randn(count, nz, 1, 1))
                if article:
                    latents.append(torch.randn(count, nz, 1, 1))
        result.append({
            **case, "pictures": PICTURES,
            "generator": hash_of(*generator.parameters()),
            "discriminator": hash_of(*discriminator.parameters()),
            "fixed_latents": hash_of(fixed),
            "order_of_two_epochs": hash_of(*order),
            "latents_of_two_epochs": hash_of(*latents),
        })
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "initial-weights.json")
    with open(path, "w") as file:
        file.write(json.dumps(result, indent=1) + "\n")


main()
