"""Files of tensors and C source, read and compiled by other programs."""

import ctypes
import json
import shutil
import subprocess
import zipfile

import networks
import numpy
import pytest
from safetensors.numpy import load_file

# Two float32 engines add the same numbers in different orders.
TOLERANCE = 2e-5

SHAPES = {
    "64 RGB": dict(nz=9, ngf=4, side=64, channels=3),
    "16 gray": dict(nz=5, ngf=3, side=16, channels=1),
    "128 RGB": dict(nz=4, ngf=2, side=128, channels=3),
}


@pytest.fixture(params=SHAPES, ids=str)
def generator(request, tmp_path):
    shape = SHAPES[request.param]
    tensors = networks.random_generator(**shape, seed=11)
    path = tmp_path / "generator.safetensors"
    networks.save(tensors, path, **{"bollygan.recipe": "test", "modelspec.title": "Ada's"})
    return path, tensors, shape


@pytest.fixture
def compiler():
    # Building this project takes a C compiler too; Swift's toolchain includes clang.
    found = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    assert found, "no C compiler is on the path"
    return found


@pytest.mark.parametrize("dtype", ["f32", "f16"])
def test_numpy_loads_every_tensor(dtype, generator, tmp_path, bollygan_export):
    path, tensors, _ = generator
    out = tmp_path / "out.npz"
    bollygan_export("--model", path, "--dtype", dtype, out)
    loaded = numpy.load(out, allow_pickle=False)
    assert sorted(loaded) == sorted(tensors)
    # In the order of a state_dict, not alphabetically.
    assert list(loaded)[:3] == ["main.0.weight", "main.1.weight", "main.1.bias"]
    for name, tensor in tensors.items():
        kind = "float16" if dtype == "f16" and tensor.ndim == 4 else tensor.dtype
        assert loaded[name].dtype == kind
        assert numpy.array_equal(loaded[name], tensor.astype(kind))
    # Checksums and offsets are correct.
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_files_of_tensors_are_read_back(dtype, ending, generator, tmp_path, bollygan_export):
    path, tensors, _ = generator
    out = tmp_path / f"out.{ending}"
    bollygan_export("--model", path, "--dtype", dtype, out)
    if ending == "pth":
        with zipfile.ZipFile(out) as archive:
            assert archive.testzip() is None
            # Each file begins at a multiple of 64, so that PyTorch can map it.
            raw = out.read_bytes()
            for entry in archive.infolist():
                at = entry.header_offset
                skip = int.from_bytes(raw[at + 26 : at + 28], "little")
                skip += int.from_bytes(raw[at + 28 : at + 30], "little")
                assert (at + 30 + skip) % 64 == 0
    elif dtype != "bf16":  # numpy has no bfloat16
        loaded = load_file(out)
        for name, tensor in tensors.items():
            kind = "float16" if dtype == "f16" and tensor.ndim == 4 else tensor.dtype
            assert numpy.array_equal(loaded[name], tensor.astype(kind))
        metadata = json.loads(bollygan_export("inspect", "--json", out).stdout)["metadata"]
        assert metadata["modelspec.title"] == "Ada's" and metadata["bollygan.recipe"] == "test"
    if dtype == "f32":
        assert b"the same" in bollygan_export("diff", path, out).stdout
    again = tmp_path / f"again.{ending}"
    bollygan_export("--model", path, "--dtype", dtype, again)
    assert out.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("ending", ["safetensors", "npz", "pth"])
def test_a_discriminator_is_exported_as_tensors_too(ending, tmp_path, bollygan_export):
    tensors = networks.random_discriminator(ndf=3, side=32, channels=1, seed=4)
    networks.save(tensors, tmp_path / "discriminator.safetensors")
    out = tmp_path / f"out.{ending}"
    report = json.loads(
        bollygan_export(
            "--discriminator", "--model", tmp_path / "discriminator.safetensors", "--json", out
        ).stdout
    )
    assert report["model"]["kind"] == "discriminator" and report["format"] == ending
    if ending == "npz":
        loaded = numpy.load(out)
        assert all(numpy.array_equal(loaded[name], tensor) for name, tensor in tensors.items())
        return
    # Either format can be read and exported again.
    back = tmp_path / "back.npz"
    bollygan_export("--discriminator", "--model", out, back)
    loaded = numpy.load(back)
    assert all(numpy.array_equal(loaded[name], tensor) for name, tensor in tensors.items())


STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2"]


@pytest.mark.parametrize("slope", [None, 0.2])
def test_c_without_any_library_generates_our_faces(slope, generator, tmp_path, compiler, bollygan_export):
    path, tensors, shape = generator
    if slope:
        bollygan_export("import", "--negative-slope", slope, path, tmp_path / "leaky.safetensors")
        path = tmp_path / "leaky.safetensors"
    # A file name that is not a valid name in C.
    header = tmp_path / "2 faces-é.h"
    bollygan_export("--model", path, header)
    weights = numpy.fromfile(tmp_path / "2 faces-é.bin", "<f4")
    (tmp_path / "driver.c").write_text(
        f'#include "{header.name}"\n'
        "void draw(const float *w, const float *z, float *s, float *x) { g2_faces____draw(w, z, s, x); }\n"
        "int sizes[] = {G2_FACES____LATENT, G2_FACES____WEIGHTS, G2_FACES____SCRATCH};\n"
    )
    library = tmp_path / "driver.so"
    # -nostdlib and no undefined symbols: not even C's own library is needed.
    subprocess.run(
        [compiler, *STRICT, "-shared", "-fPIC", "-nostdlib", "-ffreestanding", "-Wl,--no-undefined",
         "-o", library, "driver.c"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    loaded = ctypes.CDLL(str(library))
    latent_size, weight_count, scratch_size = (ctypes.c_int * 3).in_dll(loaded, "sizes")
    assert latent_size == shape["nz"] and weight_count == len(weights)
    # Canaries after the memory that it may write.
    scratch = numpy.full(scratch_size + 8, 7, "float32")
    image = numpy.full(shape["channels"] * shape["side"] ** 2 + 8, 7, "float32")
    latents = numpy.random.RandomState(1).randn(2, latent_size).astype("float32")
    expected = networks.generate(tensors, latents, slope or 0)
    for latent, face in zip(latents, expected):
        loaded.draw(*(array.ctypes.data_as(ctypes.c_void_p) for array in (weights, latent, scratch, image)))
        gap = abs(image[:-8].reshape(face.shape) - face).max()
        print(f"C, {shape}: {gap:.2e}")
        assert gap <= TOLERANCE
        assert (image[-8:] == 7).all() and (scratch[-8:] == 7).all()


def test_c_as_a_program_generates_an_image(generator, tmp_path, compiler, bollygan_export):
    path, _, shape = generator
    bollygan_export("--model", path, "--format", "c", tmp_path / "faces")
    assert {"faces", "faces.bin"} <= {file.name for file in tmp_path.iterdir()}
    program = tmp_path / "draw"
    subprocess.run(
        [compiler, *STRICT, "-DFACES_MAIN", "-x", "c", tmp_path / "faces", "-o", program], check=True
    )
    images = {
        seed: subprocess.run([program, tmp_path / "faces.bin", seed], capture_output=True, check=True).stdout
        for seed in ("1", "2")
    }
    side, channels = shape["side"], shape["channels"]
    magic = b"P6" if channels == 3 else b"P5"
    for image in images.values():
        head, pixels = image.split(b"\n", 1)
        assert head == magic + f" {side} {side} 255".encode() and len(pixels) == channels * side**2
        assert numpy.frombuffer(pixels, "uint8").std() > 10
    assert images["1"] != images["2"]
    # A truncated file of weights is refused.
    (tmp_path / "short.bin").write_bytes((tmp_path / "faces.bin").read_bytes()[:-1])
    assert subprocess.run([program, tmp_path / "short.bin"], capture_output=True).returncode == 1


def test_options_that_a_format_cannot_express_are_refused(generator, tmp_path, bollygan_export):
    path, _, _ = generator
    for flags, word in [
        (["--format", "npz", "--dtype", "bf16", "x"], b"f32, f16"),
        (["--dtype", "int8", "x.pth"], b"f32, f16, bf16"),
        (["--dtype", "f16", "x.h"], b"only f32: C99 has"),
        (["--opset", "13", "x.safetensors"], b"--opset is for ONNX"),
        (["--keep-norm", "x.npz"], b"--keep-norm"),
        (["--layout", "nhwc", "x.h"], b"--layout"),
        (["--external-data", "x.pth"], b"--external-data"),
        (["--format", "c", "-"], b"needs a file"),
        (["--format", "csv", "x"], b"csv"),
        (["--discriminator", "x.h"], b"no discriminators"),
        (["--discriminator", "--output-range", "u8", "x.onnx"], b"--output-range"),
        (["--discriminator", "--latent-rank", "2", "x.onnx"], b"--latent-rank"),
    ]:
        done = bollygan_export("--model", path, *flags, cwd=tmp_path, status=64)
        assert word in done.stderr, flags
    assert b"--model" in bollygan_export("--discriminator", "x.onnx", cwd=tmp_path, status=64).stderr
    # A generator's file where a discriminator is expected.
    refusal = bollygan_export("--discriminator", "--model", path, "x.onnx", cwd=tmp_path, status=65)
    assert b"its tensors are those of a generator" in refusal.stderr
    assert {file.name for file in tmp_path.iterdir()} == {path.name}


def test_a_file_that_fails_its_check_is_not_written(tmp_path, bollygan_export):
    # Before tanh the sums are in the millions, where float32 has steps of a tenth.
    wild = networks.random_generator(16, 4, 64, 3, last=1e6)
    networks.save(wild, tmp_path / "wild.safetensors")
    for name in "x.npz", "x.pth", "x.h":
        done = bollygan_export(
            "--model", tmp_path / "wild.safetensors", tmp_path / name, status=1
        )
        assert b"self-check" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["wild.safetensors"]
