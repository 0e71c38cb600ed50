"""bollygan-export's import, inspect and diff, and its exit status on errors."""

import hashlib
import json
import pathlib
import shutil

import networks
import numpy
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "ExportTests" / "Fixtures"
ONNX = sorted(FIXTURES.glob("*.onnx"))
READABLE = [path for path in ONNX if not path.name.startswith("refused")]


@pytest.fixture
def generator(tmp_path):
    tensors = networks.random_generator(nz=6, ngf=3, side=32, channels=3, seed=2)
    path = tmp_path / "generator.safetensors"
    networks.save(tensors, path, **{"bollygan.recipe": "test"})
    return path


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_an_imported_onnx_file_generates_the_same_images_as_onnxruntime(
    path, tmp_path, bollygan_export, bollygan_infer
):
    bollygan_export("import", path, tmp_path / "imported.safetensors")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (latent,) = session.get_inputs()
    z = numpy.random.RandomState(9).randn(2, 5)
    numpy.save(tmp_path / "z.npy", z.astype("float32"))
    bollygan_infer(
        "--model", tmp_path / "imported.safetensors", "--latents", tmp_path / "z.npy",
        "--out", tmp_path / "x.npy",
    )  # fmt: skip
    ours = numpy.load(tmp_path / "x.npy")
    half = "float16" in latent.type
    given = z.reshape((2, 5, 1, 1)[: len(latent.shape)]).astype("float16" if half else "float32")
    theirs = session.run(None, {latent.name: given})[0]
    if theirs.dtype == numpy.uint8:  # by-hand.onnx: bytes, channels last, truncated
        theirs, bound = theirs.transpose(0, 3, 1, 2) / 127.5 - 1, 1 / 127.5 + 1e-5
    elif "sigmoid" in path.name:
        theirs, bound = 2 * theirs - 1, 2e-5
    else:
        bound = 3e-3 if half else 2e-5
    assert ours.shape == theirs.shape
    assert abs(ours - theirs.astype("float32")).max() <= bound


@pytest.mark.parametrize("name", ["state-dict", "checkpoint", "sequential", "protocol-4", "views"])
def test_a_pytorch_file_becomes_safetensors(name, tmp_path, bollygan_export):
    out = tmp_path / "out.safetensors"
    report = json.loads(
        bollygan_export("import", "--json", FIXTURES / f"{name}.pth", out).stdout
    )
    assert report["format"] == "pytorch" and (report["latent"], report["side"]) == (5, 32)
    plain = tmp_path / "plain.safetensors"
    bollygan_export("import", FIXTURES / "state-dict.pth", plain)
    ours, theirs = load_file(out), load_file(plain)
    assert ours.keys() == theirs.keys() and "main.0.weight" in ours
    assert all(numpy.array_equal(ours[key], theirs[key]) for key in ours)


def test_a_leaky_generator_of_pytorch_keeps_its_slope(tmp_path, bollygan_export, bollygan_infer):
    # Biases, channels that do not halve, 16x16, LeakyReLU(0.2), which the file does not tell.
    reference = load_file(FIXTURES / "torch-faces.safetensors")
    numpy.save(tmp_path / "z.npy", reference["leaky-16.latents"])
    kept = tmp_path / "kept.safetensors"
    bollygan_export("import", "--negative-slope", 0.2, FIXTURES / "leaky-16.pth", kept)
    # Export to ONNX and read it again.
    bollygan_export("--model", kept, tmp_path / "kept.onnx")
    bollygan_export("diff", kept, tmp_path / "kept.onnx")
    for model in kept, tmp_path / "kept.onnx":
        bollygan_infer(
            "--model", model, "--latents", tmp_path / "z.npy", "--out", tmp_path / "x.npy"
        )
        gap = abs(numpy.load(tmp_path / "x.npy") - reference["leaky-16.faces"]).max()
        assert gap <= 2e-5
    session = onnxruntime.InferenceSession(
        tmp_path / "kept.onnx", providers=["CPUExecutionProvider"]
    )
    given = session.run(None, {"latent": reference["leaky-16.latents"].reshape(2, 5, 1, 1)})[0]
    assert abs(given - reference["leaky-16.faces"]).max() <= 2e-5
    # Read as ReLU it is another network, and diff reports that.
    bollygan_export("import", FIXTURES / "leaky-16.pth", tmp_path / "other.safetensors")
    bollygan_export("diff", "--quiet", kept, tmp_path / "other.safetensors", status=1)
    for wrong in -0.1, 1.5, "nan", "x":
        bollygan_export(
            "import", f"--negative-slope={wrong}", FIXTURES / "leaky-16.pth", kept, status=64
        )
    leaky = FIXTURES / "torch-old-leaky.onnx"
    bollygan_export("import", "--negative-slope", 0.2, leaky, tmp_path / "x", status=64)


def test_the_same_import_gives_the_same_bytes(tmp_path, bollygan_export):
    source = FIXTURES / "torch-old-17.onnx"
    bollygan_export("import", source, tmp_path / "a.safetensors")
    streamed = bollygan_export("import", "-", "-", input=source.read_bytes()).stdout
    assert (tmp_path / "a.safetensors").read_bytes() == streamed


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_an_import_keeps_metadata_and_rounds_to_the_given_type(dtype, generator, tmp_path, bollygan_export):
    out = tmp_path / "out.safetensors"
    bollygan_export("import", "--dtype", dtype, generator, out)
    report = json.loads(bollygan_export("inspect", "--json", out).stdout)
    assert report["metadata"]["bollygan.recipe"] == "test"
    assert report["metadata"]["format"] == "pt"
    assert report["metadata"]["modelspec.hash_sha256"] == "0x" + report["network"]["id"] or (
        dtype != "f32"
    )
    kernel = next(t for t in report["tensors"] if t["name"] == "main.0.weight")
    assert kernel["type"] == dtype.upper()


def test_inspect_reports_statistics_and_counts_non_finite_values(generator, tmp_path, bollygan_export):
    tensors = load_file(generator)
    tensors["main.3.weight"][0, 0, 0, :2] = numpy.nan, numpy.inf
    broken = tmp_path / "broken.safetensors"
    save_file(tensors, broken)
    report = json.loads(bollygan_export("inspect", "--json", broken).stdout)
    assert report["bytes"] == broken.stat().st_size
    found = {tensor["name"]: tensor for tensor in report["tensors"]}
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        finite = tensor[numpy.isfinite(tensor)].astype("float64")
        statistics = found[name]["statistics"]
        assert found[name]["shape"] == list(tensor.shape)
        assert found[name]["bytes"] == tensor.nbytes
        assert statistics["nonFinite"] == tensor.size - finite.size
        assert statistics["min"] == finite.min() and statistics["max"] == finite.max()
        assert abs(statistics["mean"] - finite.mean()) <= 1e-12 * abs(finite).max()
    assert report["network"]["kind"] == "generator"
    # Exporting it is refused.
    refusal = bollygan_export("--model", broken, tmp_path / "x.onnx", status=65).stderr
    assert b"main.3.weight" in refusal and not (tmp_path / "x.onnx").exists()


@pytest.mark.parametrize("flags, ending", [([], "safetensors"), (["--dtype", "f16"], "safetensors"),
                                           ([], "pth"), (["--dtype", "int8"], "onnx")])  # fmt: skip
def test_inspect_shows_the_model_id_that_images_carry(
    flags, ending, generator, tmp_path, bollygan_export, bollygan_infer
):
    model = tmp_path / f"model.{ending}"
    bollygan_export("--model", generator, *flags, model)
    bollygan_infer("--model", model, "--count", 1, "--out", tmp_path / "face.png")
    found = json.loads(bollygan_export("inspect", "--json", model).stdout)["network"]["id"]
    assert b"bollygan:model" in (image := (tmp_path / "face.png").read_bytes())
    assert found.encode() in image
    if ending == "safetensors":
        raw = model.read_bytes()
        header = 8 + int.from_bytes(raw[:8], "little")
        assert found == hashlib.sha256(raw[header:]).hexdigest()
        # A note tells that values were changed while the metadata was kept.
        model.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        (note,) = json.loads(bollygan_export("inspect", "--json", model).stdout)["notes"]
        assert "modelspec.hash_sha256 is of other tensors" in note


def test_inspect_recognises_a_discriminator(tmp_path, bollygan_export):
    path = tmp_path / "discriminator.safetensors"
    networks.save(networks.random_discriminator(ndf=3, side=32, channels=1, seed=4), path)
    found = json.loads(bollygan_export("inspect", "--json", path).stdout)["network"]
    raw = path.read_bytes()
    assert found["id"] == hashlib.sha256(raw[8 + int.from_bytes(raw[:8], "little") :]).hexdigest()


@pytest.mark.parametrize("path", ONNX, ids=lambda path: path.stem)
def test_inspect_shows_every_onnx_file(path, bollygan_export):
    report = json.loads(bollygan_export("inspect", "--json", path).stdout)
    assert report["graph"]["operators"]["ConvTranspose"] >= 1
    assert ("problem" in report) == path.name.startswith("refused")
    text = bollygan_export("inspect", path).stdout.decode()
    assert ("not a generator" in text) == path.name.startswith("refused")


def test_diff_distinguishes_an_export_from_another_network(generator, tmp_path, bollygan_export):
    folded, kept, half = (tmp_path / f"{name}.onnx" for name in ("folded", "kept", "half"))
    bollygan_export("--model", generator, folded)
    bollygan_export("--model", generator, "--keep-norm", kept)
    bollygan_export("--model", generator, "--dtype", "f16", half)
    for exported in folded, kept:
        assert b"the same" in bollygan_export("diff", generator, exported).stdout
    report = json.loads(bollygan_export("diff", "--json", generator, half, status=1).stdout)
    gap = report["difference"]["generators"]["faces"]
    assert 0 < gap < 4e-3 and not report["same"]
    bollygan_export("diff", "--tolerance", 1.01 * gap, generator, half)
    done = bollygan_export("diff", "--quiet", "--tolerance", gap / 2, generator, half, status=1)
    assert done.stdout == done.stderr == b""
    # One value of one tensor differs.
    tensors = load_file(generator)
    tensors["main.3.weight"][1, 1, 2, 3] += 0.25
    save_file(tensors, tmp_path / "other.safetensors")
    report = json.loads(
        bollygan_export("diff", "--json", generator, tmp_path / "other.safetensors", status=1).stdout
    )
    (changed,) = report["difference"]["tensors"]
    assert (changed["name"], changed["count"]) == ("main.3.weight", 1)
    assert abs(changed["largest"] - 0.25) < 1e-6


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.glob("refused-*.[op][nt][nh]*")), ids=lambda path: path.stem
)
def test_a_refused_file_gives_one_line_and_no_output(path, tmp_path, bollygan_export):
    out = tmp_path / "out.safetensors"
    done = bollygan_export("import", path, out, status=65)
    assert done.stderr.startswith(b"bollygan: ") and done.stderr.count(b"\n") == 1
    assert path.name.encode() in done.stderr
    assert list(tmp_path.iterdir()) == [] and done.stdout == b""
    # refused-evil.pth would run a command that creates this file.
    assert not pathlib.Path("owned").exists()


def test_exit_statuses_match_the_documentation(generator, tmp_path, bollygan_export):
    bollygan_export("--model", tmp_path / "none.safetensors", tmp_path / "x.onnx", status=66)
    bollygan_export("--model", tmp_path, tmp_path / "x.onnx", status=65)
    bollygan_export("--model", generator, tmp_path / "none" / "x.onnx", status=73)
    bollygan_export("--model", generator, tmp_path, status=73)
    bollygan_export("--model", generator, "/dev/full", status=74)
    bollygan_export("--model", generator, "--opset", 99, tmp_path / "x.onnx", status=64)
    bollygan_export("--model", generator, "--batch", "many", tmp_path / "x.onnx", status=64)
    bollygan_export("--model", generator, "--json", "-", status=64)
    bollygan_export("diff", "-", "-", status=64)
    junk = tmp_path / "junk"
    junk.write_bytes(b"neither of them")
    assert b"not a safetensors" in bollygan_export("inspect", junk, status=65).stderr
    assert not (tmp_path / "x.onnx").exists()


def test_unusual_file_names_work(generator, tmp_path, bollygan_export):
    for name in ["-x.onnx", "a b\n.onnx", "ü.onnx"]:
        path = tmp_path / name
        bollygan_export("--model", generator, path)
        assert path.stat().st_size > 0
    # A link is followed and its target replaced.
    shutil.copy(generator, tmp_path / "target.onnx")
    (tmp_path / "link.onnx").symlink_to("target.onnx")
    bollygan_export("--model", generator, tmp_path / "link.onnx")
    assert (tmp_path / "link.onnx").is_symlink()
    assert (tmp_path / "target.onnx").read_bytes() == (tmp_path / "ü.onnx").read_bytes()
