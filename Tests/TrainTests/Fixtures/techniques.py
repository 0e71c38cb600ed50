"""Writes techniques.json: as gradients.json, for recipes with techniques.

    python techniques.py        (PyTorch 2.15.0, NumPy; the CPU's float64 arithmetic)

Each technique follows its paper in plain tensor operations. All gradients are autograd's. Data sets
are chosen as in gradients.py.
"""

import copy
import json
import math
import os

import numpy
import torch
import torch.nn.functional as F

import dcgan
import gradients

COMMON = {**gradients.COMMON, "techniques": {}}
CASES = [
    {"name": "DiffAugment, article, 64", "side": 64, "ngf": 4, "ndf": 4, "normalises_first": True,
     "fresh": True, "pictures": 6, "fakes": 6,
     "techniques": {"augmentation": "color,translation,cutout"}},
    {"name": "DiffAugment's colours, tutorial, 32", "side": 32, "ngf": 5, "ndf": 7,
     "normalises_first": False, "fresh": False, "pictures": 4, "fakes": 4,
     "techniques": {"augmentation": "color"}},
    {"name": "DiffAugment's translation, 32, short batch", "side": 32, "ngf": 6, "ndf": 3,
     "normalises_first": True, "fresh": True, "pictures": 3, "fakes": 5,
     "techniques": {"augmentation": "translation"}},
    {"name": "DiffAugment, 32, gray, same fakes", "side": 32, "channels": 1, "ngf": 4, "ndf": 5,
     "normalises_first": True, "fresh": False, "pictures": 5, "fakes": 5,
     "techniques": {"augmentation": "color,cutout"}},
    {"name": "hinge, two rates that fall", "side": 64, "ngf": 4, "ndf": 4, "normalises_first": True,
     "fresh": True, "pictures": 6, "fakes": 6, "rate_g": 0.0001, "rate_d": 0.0004,
     "rate_factors": [1, 0.75, 0.25], "techniques": {"loss": "hinge"}},
    {"name": "logistic, smoothed labels", "side": 32, "ngf": 5, "ndf": 7, "normalises_first": False,
     "fresh": False, "pictures": 4, "fakes": 4,
     "techniques": {"loss": "logistic", "label_smoothing": 0.25}},
    {"name": "logistic, short batch", "side": 32, "channels": 1, "ngf": 6, "ndf": 3,
     "normalises_first": True, "fresh": True, "pictures": 3, "fakes": 5,
     "techniques": {"loss": "logistic"}},
    {"name": "cross-entropy, smoothed labels, noise", "side": 32, "ngf": 4, "ndf": 4,
     "normalises_first": True, "fresh": True, "pictures": 4, "fakes": 6, "noise": [0.3, 0.2, 0.1],
     "techniques": {"label_smoothing": 0.125, "instance_noise": 0.3}},
    {"name": "noise on changed pictures, same fakes, hinge", "side": 32, "channels": 1, "ngf": 3,
     "ndf": 5, "normalises_first": False, "fresh": False, "pictures": 4, "fakes": 4,
     "noise": [0.3, 0.2, 0.1],
     "techniques": {"augmentation": "color,translation,cutout", "loss": "hinge",
                    "instance_noise": 0.3}},
    {"name": "no normalisation, logistic, 64", "side": 64, "ngf": 4, "ndf": 4,
     "normalises_first": False, "fresh": True, "pictures": 6, "fakes": 6,
     "techniques": {"loss": "logistic", "discriminator_norm": "none"}},
    {"name": "spectral normalisation, hinge, 64", "side": 64, "ngf": 4, "ndf": 6,
     "normalises_first": False, "fresh": True, "pictures": 6, "fakes": 6, "rate_d": 0.0004,
     "techniques": {"loss": "hinge", "discriminator_norm": "spectral"}},
    {"name": "spectral normalisation, 32, gray, short batch", "side": 32, "channels": 1, "ngf": 6,
     "ndf": 3, "normalises_first": False, "fresh": True, "pictures": 3, "fakes": 5,
     "techniques": {"discriminator_norm": "spectral"}},
    {"name": "spectral normalisation, all else too, 128", "side": 128, "ngf": 2, "ndf": 3,
     "normalises_first": False, "fresh": False, "pictures": 3, "fakes": 3, "noise": [0.3, 0.2, 0.1],
     "rate_factors": [1, 0.5, 0.25],
     "techniques": {"augmentation": "color,translation,cutout", "loss": "logistic",
                    "label_smoothing": 0.125, "instance_noise": 0.3,
                    "discriminator_norm": "spectral"}},
    {"name": "R1, logistic, 64", "side": 64, "ngf": 4, "ndf": 4, "normalises_first": False,
     "fresh": True, "pictures": 6, "fakes": 6, "slope_penalties": [10, 0, 160],
     "techniques": {"loss": "logistic", "discriminator_norm": "none", "r1": 10}},
    {"name": "R1 through spectral normalisation and changes, 32, gray", "side": 32, "channels": 1,
     "ngf": 3, "ndf": 5, "normalises_first": False, "fresh": False, "pictures": 4, "fakes": 4,
     "slope_penalties": [3, 3, 3],
     "techniques": {"augmentation": "color,translation,cutout", "loss": "hinge",
                    "discriminator_norm": "spectral", "r1": 3, "r1_every": 1}},
    {"name": "relativistic paired, 64", "side": 64, "ngf": 4, "ndf": 4, "normalises_first": False,
     "fresh": True, "pictures": 6, "fakes": 6, "techniques": {"loss": "rp-logistic"}},
    {"name": "relativistic paired, changes and noise, short batch, gray", "side": 32, "channels": 1,
     "ngf": 6, "ndf": 3, "normalises_first": True, "fresh": True, "pictures": 3, "fakes": 5,
     "noise": [0.3, 0.2, 0.1],
     "techniques": {"augmentation": "color,translation,cutout", "loss": "rp-logistic",
                    "instance_noise": 0.3}},
    {"name": "relativistic paired, R1, same fakes", "side": 32, "ngf": 5, "ndf": 7,
     "normalises_first": False, "fresh": False, "pictures": 4, "fakes": 4,
     "slope_penalties": [3, 0, 3],
     "techniques": {"loss": "rp-logistic", "discriminator_norm": "none", "r1": 3, "r1_every": 2}},
    {"name": "relativistic average least squares, 64", "side": 64, "ngf": 4, "ndf": 6,
     "normalises_first": True, "fresh": False, "pictures": 6, "fakes": 6,
     "techniques": {"loss": "ra-ls"}},
    {"name": "relativistic average least squares, spectral, short batch", "side": 32, "ngf": 4,
     "ndf": 5, "normalises_first": False, "fresh": True, "pictures": 3, "fakes": 5,
     "techniques": {"loss": "ra-ls", "discriminator_norm": "spectral"}},
]


# --- DiffAugment (Zhao et al. 2020, arXiv:2006.10738)


def changes(case, step, batch, count):
    """One change for each image, from the formula.

    Batch 0 is the real one, 1 the generated one, 2 the one of the generator's step.
    """
    kinds = case["techniques"].get("augmentation", "none").split(",")
    side = case["side"]
    reach, cut = int(side * 0.125 + 0.5), int(side * 0.5 + 0.5)
    words = dcgan.hashed(40_000 + 3 * step + batch, 7 * count).reshape(count, 7)
    for row in words:
        share = [int(word >> numpy.uint32(9)) * 2.0**-23 for word in row[:3]]
        whole = [int(word) for word in row]
        yield {
            "color": (share[0] - 0.5, share[1] * 2, share[2] + 0.5) if "color" in kinds else None,
            "move": (whole[3] % (2 * reach + 1) - reach, whole[4] % (2 * reach + 1) - reach)
            if "translation" in kinds else None,
            "cut": (whole[5] % (side + 1 - cut % 2), whole[6] % (side + 1 - cut % 2))
            if "cutout" in kinds else None,
        }


def changed(pictures, all_changes):
    result = []
    for x, change in zip(pictures, all_changes, strict=True):
        side = x.shape[-1]
        if change["color"]:
            brightness, saturation, contrast = change["color"]
            x = x + brightness
            gray = x.mean(dim=0, keepdim=True)
            x = (x - gray) * saturation + gray
            x = (x - x.mean()) * contrast + x.mean()
        if change["move"]:
            rows, columns = change["move"]
            reach = int(side * 0.125 + 0.5)
            framed = F.pad(x, (reach, reach, reach, reach))
            x = framed[:, reach + rows:reach + rows + side, reach + columns:reach + columns + side]
        if change["cut"]:
            cut = int(side * 0.5 + 0.5)
            rows, columns = (
                (torch.arange(cut) + middle - cut // 2).clamp(0, side - 1)
                for middle in change["cut"])
            mask = torch.ones(side, side)
            mask[rows[:, None], columns[None, :]] = 0
            x = x * mask
        result.append(x)
    return torch.stack(result)


# --- Instance noise


def mixed(word):
    """The output function of SplitMix64."""
    word &= 2**64 - 1
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & 2**64 - 1
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & 2**64 - 1
    return word ^ (word >> 31)


def noise(pictures, deviation, seed, batch):
    count, channels, side, _ = pictures.shape
    result = torch.empty(count, side * side * channels)
    for index in range(count):
        state = mixed(seed + mixed(batch << 32 | index))
        for place in range(0, side * side * channels, 2):
            state += 0x9E3779B97F4A7C15
            word = mixed(state)
            radius = deviation * math.sqrt(-2 * math.log(((word >> 32) + 0.5) / 2**32))
            angle = 2 * math.pi * (word & 2**32 - 1) / 2**32
            result[index, place] = radius * math.cos(angle)
            result[index, place + 1] = radius * math.sin(angle)
    # The noise is float32, channels last.
    result = result.float().double().reshape(count, side, side, channels)
    return result.permute(0, 3, 1, 2)


# --- A discriminator without batch normalisation


class BiasedDiscriminator(torch.nn.Module):
    def __init__(self, ndf, side, channels):
        super().__init__()
        doublings = int(math.log2(side)) - 2
        widths = [channels] + [ndf << i for i in range(doublings)]
        modules = []
        for a, b in zip(widths, widths[1:]):
            modules += [torch.nn.Conv2d(a, b, 4, 2, 1), torch.nn.LeakyReLU(0.2)]
        modules += [torch.nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), torch.nn.Sigmoid()]
        self.main = torch.nn.Sequential(*modules)


class Spectral:
    """The two vectors of each kernel (Miyato et al. 2018, appendix A)."""

    def __init__(self, network):
        self.kernels = {n: p for n, p in network.named_parameters() if p.dim() == 4}
        self.u, self.v = {}, {}
        for name, kernel in self.kernels.items():
            signed = [(mixed(i + 1) ^ 2**63) - 2**63 for i in range(len(kernel))]
            self.u[name] = torch.tensor([word / 2**63 for word in signed])
        for _ in range(15):
            self.iterate()

    def iterate(self):
        with torch.no_grad():
            for name, kernel in self.kernels.items():
                matrix = kernel.flatten(1)
                self.v[name] = F.normalize(matrix.T @ self.u[name], dim=0, eps=1e-12)
                self.u[name] = F.normalize(matrix @ self.v[name], dim=0, eps=1e-12)

    def divided(self):
        """The kernels as images see them. The vectors are constants for autograd."""
        return {
            name: kernel / (self.u[name] @ kernel.flatten(1) @ self.v[name])
            for name, kernel in self.kernels.items()
        }


# --- A step


class Trainer(dcgan.Trainer):
    def __init__(self, case, generator, discriminator):
        super().__init__(
            generator, discriminator, case["rate_g"], case["rate_d"], case["beta1"])
        self.case = case
        spectral = case["techniques"].get("discriminator_norm") == "spectral"
        self.spectral = Spectral(discriminator) if spectral else None

    def shown(self, pictures, step, batch):
        """Images as the discriminator sees them."""
        if "augmentation" in self.case["techniques"]:
            pictures = changed(pictures, changes(self.case, step, batch, len(pictures)))
        if "noise" in self.case:
            seed = 50_000 + step + 100 * self.case["data"]
            pictures = pictures + noise(pictures, self.case["noise"][step], seed, batch)
        return pictures

    def logits(self, x):
        if self.spectral:
            kernels = {n.removeprefix("main."): k for n, k in self.spectral.divided().items()}
            return torch.func.functional_call(self.d.main[:-1], kernels, x).view(-1)
        return self.d.main[:-1](x).view(-1)

    def loss(self, logits, goal):
        """The discriminator's loss on the "real" or "fake" batch, or the "generator"'s loss."""
        techniques = self.case["techniques"]
        if techniques.get("loss") == "hinge":
            if goal == "generator":
                return -logits.mean()
            return F.relu(1 - logits if goal == "real" else 1 + logits).mean()
        # One-sided smoothing (Salimans et al. 2016): only of real images' labels.
        smoothed = 1 - techniques.get("label_smoothing", 0)
        label = {"real": smoothed, "fake": 0.0, "generator": 1.0}[goal]
        labels = torch.full_like(logits, label)
        if techniques.get("loss") == "logistic":
            return F.binary_cross_entropy_with_logits(logits, labels)
        return self.criterion(torch.sigmoid(logits), labels)

    def losses(self, on_real, on_fake, goal):
        """The discriminator's loss of both batches, or the generator's relativistic loss."""
        kind = self.case["techniques"].get("loss")
        # The generator wants the opposite of what the discriminator wants.
        better, worse = (on_fake, on_real) if goal == "generator" else (on_real, on_fake)
        if kind == "rp-logistic":
            pairs = max(len(better), len(worse))
            better, worse = (
                x.repeat(pairs // len(x) + 1)[:pairs] for x in (better, worse))
            return F.softplus(worse - better).mean()
        if kind == "ra-ls":
            return ((better - worse.mean() - 1).square().mean()
                    + (worse - better.mean() + 1).square().mean()) / 2
        return self.loss(on_real, "real") + self.loss(on_fake, "fake")

    @property
    def is_relativistic(self):
        return self.case["techniques"].get("loss") in ("rp-logistic", "ra-ls")

    def score(self, logits, others):
        """D(x) or D(G(z)); for a relativistic loss, compared with the mean of the other batch."""
        if self.is_relativistic:
            logits = logits - others.mean()
        return torch.sigmoid(logits).mean().item()

    def step(self, step, real, latents, fresh=None):
        for optimizer, rate in ((self.optimizer_g, "rate_g"), (self.optimizer_d, "rate_d")):
            optimizer.param_groups[0]["lr"] = (
                self.case[rate] * self.case.get("rate_factors", [1] * 9)[step])
        self.d.zero_grad()
        seen = self.shown(real, step, 0)
        on_real = self.logits(seen)
        weight = self.case.get("slope_penalties", [0] * 9)[step]
        if weight:
            # R1 (Mescheder et al. 2018), by autograd's second derivatives.
            seen = seen.detach().requires_grad_()
            slope, = torch.autograd.grad(self.logits(seen).sum(), seen, create_graph=True)
            penalty = weight / 2 * slope.square().sum(dim=(1, 2, 3)).mean()
            penalty.backward()
        fake = self.g(latents)
        on_fake = self.logits(self.shown(fake.detach(), step, 1))
        loss_d = self.losses(on_real, on_fake, "real")
        loss_d.backward()
        for parameter in self.d.parameters():
            # Autograd has no gradient, and Adam no moments, if nothing depends on a parameter.
            assert parameter.grad is not None
        gradients_d = {n: p.grad.clone() for n, p in self.d.named_parameters()}
        self.optimizer_d.step()
        if self.spectral:
            self.spectral.iterate()

        self.g.zero_grad()
        if fresh is not None:
            fake = self.g(fresh)
        real_again = self.logits(self.shown(real, step, 0)) if self.is_relativistic else None
        on_fake_again = self.logits(self.shown(fake, step, 2))
        loss_g = (
            self.losses(real_again, on_fake_again, "generator")
            if self.is_relativistic else self.loss(on_fake_again, "generator"))
        loss_g.backward()
        gradients_g = {n: p.grad.clone() for n, p in self.g.named_parameters()}
        self.optimizer_g.step()
        losses = {
            "loss_d": loss_d.item(), "loss_g": loss_g.item(),
            "d_x": self.score(on_real, on_fake),
            "d_gz1": self.score(on_fake, on_real),
            "d_gz2": self.score(on_fake_again, real_again),
        }
        if weight:
            losses["r1"] = penalty.item()
        return losses, gradients_d, gradients_g


def trainer(case):
    # In float32, so that all start with the same weights.
    generator, discriminator = dcgan.networks(case)
    if case["techniques"].get("discriminator_norm", "batch") != "batch":
        discriminator = BiasedDiscriminator(case["ndf"], case["side"], case["channels"])
    dcgan.fill(generator, 100)
    dcgan.fill(discriminator, 200)
    return Trainer(case, generator.double(), discriminator.double())


def buffers(network):
    return {n: b for n, b in network.state_dict().items() if not n.endswith("tracked")}


def record(case):
    t = trainer(case)
    result = {"case": case, "losses": []}
    for step in range(case["steps"]):
        losses, gradients_d, gradients_g = t.step(step, *gradients.batch(case, step))
        result["losses"].append(losses)
        if step == 0:
            result["discriminator"] = dcgan.digests(gradients_d)
            result["generator"] = dcgan.digests(gradients_g)
    result["after"] = {
        "discriminator": dcgan.digests(buffers(t.d)),
        "generator": dcgan.digests(buffers(t.g)),
        "discriminator_adam": dcgan.digests(t.moments(t.optimizer_d, t.d)),
        "generator_adam": dcgan.digests(t.moments(t.optimizer_g, t.g)),
    }
    if t.spectral:
        result["after"]["spectral"] = dcgan.digests(
            {f"{name}_u": vector for name, vector in t.spectral.u.items()}
            | {f"{name}_v": vector for name, vector in t.spectral.v.items()})
    _, z, _ = gradients.batch(case, case["steps"])
    with torch.no_grad():
        result["pictures_batch"] = dcgan.digest(copy.deepcopy(t.g)(z))
        result["pictures_running"] = dcgan.digest(copy.deepcopy(t.g).eval()(z))
    return result


def main():
    torch.set_default_dtype(torch.float64)
    result = []
    for case in CASES:
        case = {**COMMON, **case, "data": 0}
        # The weights are float32 numbers, whatever the default type.
        while gradients.distance_from_edges(
                trainer(case), 0, *gradients.batch(case, 0)) < gradients.MARGIN:
            case["data"] += 1
        print(f"{case['name']}: data {case['data']}", flush=True)
        result.append(record(case))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "techniques.json")
    with open(path, "w") as file:
        # One line for each case.
        file.write("[\n" + ",\n".join(json.dumps(r) for r in result) + "\n]\n")


if __name__ == "__main__":
    main()
