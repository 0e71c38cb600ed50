"""Makes the torch.save fixtures in this folder.

Made with Python 3.11 and torch 2.15.0:

    python make_torch_fixtures.py

Most contain the same generator (latent 5, width 2, 32x32 gray), which `state-dict.pth` stores in
the simplest way. Images of the other generators, computed in float64, are in
`torch-faces.safetensors`.
"""

import pathlib
import pickle
import zipfile

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
NZ, NGF = 5, 2
# Latents and images of the files with another generator, as in make_onnx_fixtures.py.
faces = {}


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [NZ, 4 * NGF, 2 * NGF, NGF, 1]
        layers = []
        for k in range(4):
            layers.append(
                nn.ConvTranspose2d(
                    sizes[k], sizes[k + 1], 4, 1 if k == 0 else 2, 0 if k == 0 else 1, bias=False
                )
            )
            if k < 3:
                layers += [nn.BatchNorm2d(sizes[k + 1]), nn.ReLU(True)]
        self.main = nn.Sequential(*layers, nn.Tanh())

    def forward(self, x):
        return self.main(x)


torch.manual_seed(1)
network = Generator()
for _ in range(3):
    network(torch.randn(8, NZ, 1, 1))  # updates the running statistics
state = network.state_dict()


def save(name, value, **options):
    torch.save(value, HERE / f"{name}.pth", **options)


save("state-dict", state)
save("protocol-4", state, pickle_protocol=4)
save("sequential", network.main.state_dict())
save("data-parallel", {f"module.{key}": value for key, value in state.items()})
save("parameters", dict(network.named_parameters()) | dict(network.named_buffers()))
save("half", {k: v.half() if v.is_floating_point() else v for k, v in state.items()})
save("bfloat16", {k: v.bfloat16() if v.is_floating_point() else v for k, v in state.items()})
save(
    "channels-last",
    {
        k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
        for k, v in state.items()
    },
)
# Views of one storage, like flattened parameters.
floats = [key for key, value in state.items() if value.is_floating_point()]
flat = torch.cat([state[key].flatten() for key in floats])
views = dict(zip(floats, flat.split([state[key].numel() for key in floats])))
save("views", {key: views[key].view(state[key].shape) if key in views else state[key] for key in state})

# A training script's checkpoint.
discriminator = nn.Sequential(nn.Conv2d(1, NGF, 4, 2, 1, bias=False), nn.LeakyReLU(0.2))
optimizer = torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
network(torch.randn(2, NZ, 1, 1)).sum().backward()
optimizer.step()
network.load_state_dict(torch.load(HERE / "state-dict.pth", weights_only=True))
save(
    "checkpoint",
    {
        "epoch": 25,
        "netG": network.state_dict(),
        "netD": discriminator.state_dict(),
        "optimG": optimizer.state_dict(),
        "losses": [1.5, 0.25],
        "note": None,
    },
)

# Other generators: biases, with and without normalisation, channels that do not halve, LeakyReLU.
def other(name, sizes, bias, norm, activation):
    torch.manual_seed(len(name))
    layers = []
    for k in range(len(sizes) - 1):
        layers.append(
            nn.ConvTranspose2d(
                sizes[k], sizes[k + 1], 4, 1 if k == 0 else 2, 0 if k == 0 else 1, bias=bias
            )
        )
        if k < len(sizes) - 2:
            layers += ([nn.BatchNorm2d(sizes[k + 1])] if norm else []) + [activation]
    network = nn.Sequential(*layers, nn.Tanh())
    for parameter in network.parameters():
        parameter.data *= 3
    for _ in range(3):
        network(torch.randn(8, NZ, 1, 1))
    save(name, network.state_dict())
    z = torch.randn(2, NZ, 1, 1)
    faces[f"{name}.latents"] = z.reshape(2, NZ)
    faces[f"{name}.faces"] = network.eval().double()(z.double()).detach().float()


other("biases", [NZ, 8, 4, 2, 1], True, True, nn.ReLU())
other("no-norm", [NZ, 8, 4, 2, 1], True, False, nn.ReLU())
other("widths", [NZ, 3, 6, 6, 2, 3], False, True, nn.ReLU())
other("leaky-16", [NZ, 4, 4, 1], True, True, nn.LeakyReLU(0.2))
save_file(faces, HERE / "torch-faces.safetensors")

save("refused-two", {"netG": state, "G_ema": {key: value.clone() for key, value in state.items()}})
save("refused-double", {k: v.double() if v.is_floating_point() else v for k, v in state.items()})
save("refused-legacy", state, _use_new_zipfile_serialization=False)
save("refused-module", network)
save("refused-tensor", torch.zeros(3))
torch.jit.trace(network.eval(), torch.zeros(1, NZ, 1, 1)).save(HERE / "refused-script.pth")


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch owned",)


with zipfile.ZipFile(HERE / "refused-evil.pth", "w") as archive:
    archive.writestr("archive/data.pkl", pickle.dumps({"main.0.weight": Evil()}, protocol=2))
with zipfile.ZipFile(HERE / "refused-deflated.pth", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("archive/data.pkl", pickle.dumps({}, protocol=2))
