"""PyTorch strictly loads the weights that this project writes, with the right values.

    python Tests/torch/test_weights.py        (or pytest; needs torch, safetensors)

The files are in Tests/ModelTests/Fixtures/written, and a Swift test checks that the writer still
produces exactly these bytes. The shipped models are loaded as well.
"""

import sys
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "ModelTests" / "Fixtures"))

from make_weights import Main, discriminator, generator  # noqa: E402

WRITTEN = TESTS / "ModelTests" / "Fixtures" / "written"
NETWORKS = {
    "generator-64": lambda: generator(5, 1, 64, 3),
    "generator-64-f16": lambda: generator(5, 1, 64, 3),
    "generator-64-bf16": lambda: generator(5, 1, 64, 3),
    "generator-32-gray": lambda: generator(3, 1, 32, 1),
    "generator-128": lambda: generator(2, 1, 128, 3),
    "discriminator-64": lambda: discriminator(1, 64, 3, False),
    "discriminator-64-norm": lambda: discriminator(1, 64, 3, True),
    "discriminator-32-gray-norm": lambda: discriminator(1, 32, 1, True),
    "discriminator-128": lambda: discriminator(1, 128, 3, False),
}


def expected_values(network):
    """The values that the Swift test gives its networks.

    Tensor k, counted in the order of the state_dict, holds (k + i % 97) / 64 at index i.
    """
    number = 0
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            channels = network.state_dict()[name.replace("num_batches_tracked", "bias")].numel()
            yield name, torch.tensor(56 + channels)
        else:
            places = torch.arange(tensor.numel(), dtype=torch.float32)
            yield name, ((number + places % 97) / 64).reshape(tensor.shape)
            number += 1


def test_every_written_file_is_listed():
    assert {path.stem for path in WRITTEN.glob("*.safetensors")} == set(NETWORKS)


def test_state_dicts_load_strictly_and_with_the_right_values():
    for name, make in NETWORKS.items():
        network = Main(make())
        network.load_state_dict(load_file(WRITTEN / f"{name}.safetensors"), strict=True)
        state = network.state_dict()
        for key, value in expected_values(network):
            assert torch.equal(state[key], value), f"{name}: {key}"


def test_plain_sequential_loads_without_the_prefix():
    state = load_file(WRITTEN / "discriminator-64-norm.safetensors")
    network = NETWORKS["discriminator-64-norm"]()
    network.load_state_dict(
        {key.removeprefix("main."): value for key, value in state.items()}, strict=True)


def test_types_and_metadata_are_those_that_other_programs_expect():
    for name in NETWORKS:
        with safetensors.safe_open(WRITTEN / f"{name}.safetensors", "pt") as file:
            assert file.metadata()["format"] == "pt"
            kernel = file.get_tensor("main.0.weight").dtype
        suffix = name.rsplit("-", 1)[-1]
        assert kernel == {"f16": torch.float16, "bf16": torch.bfloat16}.get(suffix, torch.float32)
    with safetensors.safe_open(WRITTEN / "generator-64.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["bollygan.seed"] == "42"
    assert metadata["modelspec.architecture"] == "dcgan-64"
    assert metadata["modelspec.resolution"] == "64x64"


def test_shipped_model_loads_strictly():
    models = TESTS.parent / "models"
    shipped = sorted(models.glob("*.safetensors"))
    if not shipped:
        print("no shipped model to check")
    for path in shipped:
        state = load_file(path)
        kernels = [v for k, v in sorted(state.items()) if v.dim() == 4]
        latent = state["main.0.weight"].shape[0]
        side = 4 << (len(kernels) - 1)
        last = state[f"main.{3 * (len(kernels) - 1)}.weight"]
        network = Main(generator(latent, last.shape[0], side, last.shape[1])).eval()
        network.load_state_dict(state, strict=True)
        with torch.no_grad():
            assert network(torch.randn(2, latent, 1, 1)).shape == (2, last.shape[1], side, side)


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("passed:", name)
