"""Writes gradients.json: all gradients of one step and the state after a few steps, in float64.

    python gradients.py        (PyTorch 2.15.0, NumPy; the CPU's float64 arithmetic)

Gradients are discontinuous where a rectifier's input is zero, and among a million numbers one is
close to zero by chance. So each case uses the first data set for which no input in the first step
is so close that float32 rounding could flip its sign.

For comparison, prints the error of PyTorch's own float32 gradients.
"""

import copy
import json
import os

import numpy
import torch
from torch import nn

import dcgan

# Relative to a layer's root mean square: the largest error of float32 after a few layers.
MARGIN = 3e-6

# Adam's first update is the sign of a gradient times the learning rate, and among millions of
# gradients a few have no sign in float32. With a small rate, values after the discriminator's
# update can be compared nevertheless.
SMALL = 2e-6

COMMON = {"nz": 20, "channels": 3, "rate_g": 0.0002, "rate_d": 0.0002, "beta1": 0.5, "steps": 3}
CASES = [
    {"name": "article, 64", "side": 64, "ngf": 4, "ndf": 4, "normalises_first": True,
     "fresh": True, "pictures": 6, "fakes": 6},
    {"name": "tutorial, 64", "side": 64, "ngf": 4, "ndf": 6, "normalises_first": False,
     "fresh": False, "pictures": 6, "fakes": 6},
    {"name": "article, 32, gray, short batch", "side": 32, "channels": 1, "ngf": 6, "ndf": 3,
     "normalises_first": True, "fresh": True, "pictures": 3, "fakes": 5},
    {"name": "tutorial, 32", "side": 32, "ngf": 5, "ndf": 7, "normalises_first": False,
     "fresh": False, "pictures": 4, "fakes": 4, "nz": 37},
    {"name": "article, 128", "side": 128, "ngf": 2, "ndf": 3, "normalises_first": True,
     "fresh": True, "pictures": 3, "fakes": 3},
    {"name": "tutorial, 128, gray", "side": 128, "channels": 1, "ngf": 2, "ndf": 2,
     "normalises_first": False, "fresh": False, "pictures": 3, "fakes": 3},
    {"name": "norm first, same fakes, two rates", "side": 32, "ngf": 9, "ndf": 4,
     "normalises_first": True, "fresh": False, "pictures": 5, "fakes": 5, "rate_g": 0.0001,
     "rate_d": 0.0004, "beta1": 0.0},
    {"name": "no norm first, fresh latents, gray", "side": 64, "channels": 1, "ngf": 3, "ndf": 5,
     "normalises_first": False, "fresh": True, "pictures": 4, "fakes": 4},
    {"name": "article, 64, width 32", "side": 64, "ngf": 32, "ndf": 32, "normalises_first": True,
     "fresh": True, "pictures": 4, "fakes": 4, "nz": 64, "steps": 1, "rate_d": SMALL},
    {"name": "tutorial, 64, full width", "side": 64, "ngf": 64, "ndf": 64,
     "normalises_first": False, "fresh": False, "pictures": 2, "fakes": 2, "nz": 100,
     "steps": 1, "rate_d": SMALL},
]


def batch(case, step):
    """Noise as images, and latents. They differ for each step and each data set."""
    step += 100 * case["data"]
    side, channels = case["side"], case["channels"]
    count = case["pictures"] * side * side * channels
    pixels = (dcgan.hashed(10_000 + step, count) >> numpy.uint32(24)).astype(numpy.uint8)
    dtype = torch.get_default_dtype()
    real = dcgan.pictures(pixels.reshape(case["pictures"], side, side, channels), dtype)
    latents = [
        dcgan.formula_tensor(salt + step, (case["fakes"], case["nz"], 1, 1), 0.0, 1.75).to(dtype)
        for salt in (20_000, 30_000)]
    return real, latents[0], latents[1] if case["fresh"] else None


def trainer(case):
    # In float32, so that both precisions start with the same weights.
    generator, discriminator = dcgan.networks(case)
    dcgan.fill(generator, 100)
    dcgan.fill(discriminator, 200)
    dtype = torch.get_default_dtype()
    return dcgan.Trainer(
        generator.to(dtype), discriminator.to(dtype), case["rate_g"], case["rate_d"],
        case["beta1"])


def distance_from_edges(t, *first_step):
    """The smallest magnitude of a rectifier's input in the first step, relative to its layer."""
    nearest = []

    def note(_, inputs):
        z = inputs[0].detach()
        nearest.append(float(z.abs().min() / z.square().mean().sqrt()))

    for network in (t.g, t.d):
        for module in network.modules():
            if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
                module.register_forward_pre_hook(note)
    t.step(*first_step)
    return min(nearest)


def main():
    result = []
    for case in CASES:
        case = {**COMMON, **case, "data": 0}
        torch.set_default_dtype(torch.float64)
        while distance_from_edges(trainer(case), *batch(case, 0)) < MARGIN:
            case["data"] += 1
        torch.set_default_dtype(torch.float32)
        _, rough_d, rough_g = trainer(case).step(*batch(case, 0))
        torch.set_default_dtype(torch.float64)
        t = trainer(case)
        record = {"case": case, "losses": []}
        for step in range(case["steps"]):
            losses, gradients_d, gradients_g = t.step(*batch(case, step))
            record["losses"].append(losses)
            if step == 0:
                record["discriminator"] = dcgan.digests(gradients_d)
                record["generator"] = dcgan.digests(gradients_g)
                error = max(
                    float((rough[name].double() - exact[name]).abs().max()
                          / exact[name].abs().max())
                    for rough, exact in ((rough_d, gradients_d), (rough_g, gradients_g))
                    for name in exact)
                print(f"{case['name']}: data {case['data']}, "
                      f"largest relative error of PyTorch's float32 {error:.1e}")
        buffers = lambda network: {
            name: b for name, b in network.state_dict().items() if not name.endswith("tracked")}
        record["after"] = {
            "discriminator": dcgan.digests(buffers(t.d)),
            "generator": dcgan.digests(buffers(t.g)),
            "discriminator_adam": dcgan.digests(t.moments(t.optimizer_d, t.d)),
            "generator_adam": dcgan.digests(t.moments(t.optimizer_g, t.g)),
        }
        _, z, _ = batch(case, case["steps"])
        with torch.no_grad():
            record["pictures_batch"] = dcgan.digest(copy.deepcopy(t.g)(z))
            record["pictures_running"] = dcgan.digest(copy.deepcopy(t.g).eval()(z))
        result.append(record)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gradients.json")
    with open(path, "w") as file:
        # One line for each case.
        file.write("[\n" + ",\n".join(json.dumps(r) for r in result) + "\n]\n")


if __name__ == "__main__":
    main()
