"""bollygan-train makes the first steps of the PyTorch tutorial's script, and of the article's notebook.

    python -m pytest Tests/torch/test_replay.py -s        (needs torch, torchvision; some minutes)

Both sides train networks of full size in float32 on the same folder: BOLLYGAN_SHARED's faces where
that is set, else drawn ones. With -s the losses are printed side by side.

What precedes the discriminator's first update agrees to a few 1e-7. What follows it hangs on chance:
where rounding takes a number across the bend of a LeakyReLU, gradients move by far more than a
rounding, and Adam's first update is their sign. Of drawn faces and seeds 1 to 6, D(G(z)) behind the
update is off from a step in float64 by up to 2.1e-4 in PyTorch's float32, 2.7e-4 with channels_last, and
3.8e-4 here (Documentation/Numerics.md), so that a seed may miss the 1e-4 that are asked for.
"""

import json
import os
import pathlib
import sys

import pytest
import torch
import torchvision.datasets
import torchvision.transforms as transforms

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "TrainTests" / "Fixtures"))

import dcgan  # noqa: E402

STEPS = 5
NAMES = ["loss_d", "loss_g", "d_x", "d_gz1", "d_gz2"]


@pytest.fixture(scope="module")
def data(bollygan_train, tmp_path_factory):
    folder = pathlib.Path(os.environ.get("BOLLYGAN_SHARED", "/nowhere")) / "data/bollywood-faces"
    if folder.is_dir():
        return folder
    folder = tmp_path_factory.mktemp("data")
    # 300 pictures: the third step has a short batch, the fourth begins another epoch.
    bollygan_train("draw-faces", folder / "faces", "--count", 300, "--seed", 1)
    return folder


def pytorch(folder, recipe, seed, preview):
    """The losses of the first steps, everything drawn in the order of the recipe's script."""
    article = recipe == "article"
    nz = 64 if article else 100
    torch.manual_seed(seed)
    dataset = torchvision.datasets.ImageFolder(folder, transforms.Compose([
        transforms.Resize(64), transforms.CenterCrop(64), transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ]))
    loader = torch.utils.data.DataLoader(dataset, batch_size=128, shuffle=True, num_workers=2)
    if preview:
        next(iter(loader))
    if article:
        discriminator = dcgan.Discriminator(64, 64, 3, True)
        generator = dcgan.Generator(nz, 64, 64, 3)
        torch.randn(128, nz, 1, 1)  # the notebook tries its generator
    else:
        generator = dcgan.Generator(nz, 64, 64, 3)
        generator.apply(dcgan.weights_init)
        discriminator = dcgan.Discriminator(64, 64, 3, False)
        discriminator.apply(dcgan.weights_init)
    torch.randn(64, nz, 1, 1)  # the fixed latents
    trainer = dcgan.Trainer(generator, discriminator, 0.0002, 0.0002)
    history = []
    while True:
        for real, _ in loader:
            count = 128 if article else len(real)
            latents = torch.randn(count, nz, 1, 1)
            fresh = torch.randn(count, nz, 1, 1) if article else None
            history.append(trainer.step(real, latents, fresh)[0])
            if len(history) == STEPS:
                return history


@pytest.mark.parametrize(
    "recipe, seed, preview, steps",
    [("tutorial", 999, True, 20), ("tutorial", 4711, False, STEPS), ("article", 999, True, STEPS)],
)
def test_first_steps_are_those_of_the_script(
    bollygan_train, data, tmp_path, recipe, seed, preview, steps
):
    run = tmp_path / "run"
    options = [] if preview else ["--no-preview"]
    # The drawn pictures are few, and the tutorial's five epochs of them too short.
    bollygan_train(
        data, "--recipe", recipe, "--seed", seed, "--max-steps", steps, "--epochs", steps,
        "--out", run, *options, timeout=1800)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    ours = [line for line in lines if line["event"] == "step"]
    assert [line["step"] for line in ours] == list(range(1, steps + 1))

    theirs = pytorch(data, recipe, seed, preview)
    print(f"\n{recipe}, seed {seed}, preview {preview}, {data.name}: ours / PyTorch's")
    misses = []
    for step, (a, b) in enumerate(zip(ours, theirs), start=1):
        if step == 1:
            print("     off by " + "  ".join(f"{n} {abs(a[n] - b[n]) / b[n]:.1e}" for n in NAMES))
        print(f"{step:3}  " + "  ".join(f"{n} {a[n]:.6f} / {b[n]:.6f}" for n in NAMES))
        for name in NAMES:
            # Later PyTorch differs from itself in another memory layout by about as much as is allowed.
            first = 1e-4 if name in ("loss_g", "d_gz2") else 1e-5
            bound = first if step == 1 else 3e-2
            relative = abs(a[name] - b[name]) / abs(b[name])
            if not relative <= bound:
                misses.append(f"step {step}: {name} is off by {relative:.1e}, allowed is {bound}")
    assert not misses, "\n".join(misses)
