"""The explorer page, driven as a person drives it, against the commands."""

import io
import json
import math
import re
import struct

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

# In hexadecimal: as lists, a million numbers take both browsers' protocols many seconds.
READ_CANVASES = """async (selector) => {
  const images = [...document.querySelectorAll(selector)].map((canvas) =>
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data);
  const bytes = new Uint8Array(await new Blob(images).arrayBuffer());
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}"""


def pixels_of(text, count):
    """Square images of four channels from `READ_CANVASES`."""
    pixels = np.frombuffer(bytes.fromhex(text), np.uint8).astype(int)
    side = math.isqrt(len(pixels) // count // 4)
    return pixels.reshape(count, side, side, 4)


def wall_pixels(visit):
    visit.wait_for_wall()
    return pixels_of(visit.page.evaluate(READ_CANVASES, "#wall canvas"), 64)


def face_pixels(visit):
    return pixels_of(visit.page.evaluate(READ_CANVASES, "#face"), 1)[0, ..., :3]


def drawn(bollygan_infer, *arguments, side=64):
    """Faces as the command draws them; gray ones have three equal channels."""
    rgb = bollygan_infer(*arguments, "--format", "rgb", "--out", "-").stdout
    return np.frombuffer(rgb, np.uint8).astype(int).reshape(-1, side, side, 3)


def assert_close(page, command, share):
    """At most 1 apart, in less than a share of the values."""
    difference = np.abs(page - command)
    assert difference.max() <= 1
    assert (difference > 0).mean() < share


def numpy_latent(seed, size=64):
    return np.random.RandomState(seed).randn(1, size).astype(np.float32)[0]


def slerp(a, b, t):
    if t == 0:
        return a
    a, b = a.astype(np.float64), b.astype(np.float64)
    angle = np.arccos(a @ b / np.sqrt((a @ a) * (b @ b)))
    mixed = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return mixed.astype(np.float32)


def texts(png):
    return dict(Image.open(io.BytesIO(png)).text)


# --- Pixels


@pytest.mark.parametrize(
    ("wall", "arguments"),
    [
        ("torch:42", ("--seed", 42, "--count", 64)),
        ("torch:18446744073709551615", ("--seed", 18446744073709551615, "--count", 64)),
        ("numpy:100", ("--seeds", "100-163")),
        ("numpy:4294967232", ("--seeds", "4294967232-4294967295")),
    ],
)
def test_a_wall_shows_the_commands_faces(visit, explorer, bollygan_infer, wall, arguments):
    seen = visit(explorer, f"#panel=wall&face=seed:0&wall={wall}")
    pixels = wall_pixels(seen)
    assert (pixels[..., 3] == 255).all()
    # The bundled generator is stored in float16, so the page has its very weights.
    assert_close(pixels[..., :3], drawn(bollygan_infer, *arguments), share=1e-4)


def write_generator(path, widths, latent, channels, slope=0.0, dtype=np.float32, seed=1):
    """A generator of random weights as a safetensors file."""
    random = np.random.RandomState(seed)
    tensors = {}
    sizes = [latent, *widths, channels]
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        taps = 1 if layer == 0 else 4
        scale = (2 / (inputs * taps)) ** 0.5
        # The contrast of photographs.
        if layer == len(widths):
            scale *= 0.4
        tensors[f"main.{3 * layer}.weight"] = (scale * random.randn(inputs, outputs, 4, 4)).astype(
            dtype
        )
        if layer < len(widths):
            norm = f"main.{3 * layer + 1}"
            for name, values in [
                ("weight", 1 + 0.1 * random.randn(outputs)),
                ("bias", 0.1 * random.randn(outputs)),
                ("running_mean", 0.1 * random.randn(outputs)),
                ("running_var", 1 + random.rand(outputs)),
            ]:
                tensors[f"{norm}.{name}"] = values.astype(np.float32)
    header = {"__metadata__": {"format": "pt"}}
    if slope:
        header["__metadata__"]["bollygan.negative_slope"] = str(slope)
    data = b""
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": {2: "F16", 4: "F32"}[tensor.itemsize],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + tensor.nbytes],
        }
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize(
    ("widths", "latent", "channels", "slope"),
    [
        ([24, 12], 10, 1, 0),
        ([40, 20, 9], 100, 3, 0.2),
        ([32, 32, 16, 16, 8], 64, 1, 0.2),
        ([64, 32, 16, 16, 8, 8], 33, 3, 0),
    ],
    ids=["16-gray", "32-leaky", "128-gray-leaky", "256"],
)
@pytest.mark.parametrize("dtype", ["f16", "f32"])
def test_every_shape_is_drawn(
    visit, tmp_path, bollygan_export, bollygan_infer, widths, latent, channels, slope, dtype
):
    model, path = tmp_path / "model.safetensors", tmp_path / "explore.html"
    stored = tmp_path / "stored.safetensors"
    write_generator(model, widths, latent, channels, slope)
    bollygan_export("--model", model, "--dtype", dtype, path)
    bollygan_export("--model", model, "--dtype", dtype, stored)
    for wall, latents in [
        ("numpy:0", ("--seeds", "0-63")),
        # Torch draws the last numbers of a size that is no multiple of 16 twice.
        ("torch:7", ("--seed", 7, "--count", 64)),
    ]:
        pixels = wall_pixels(visit(path, f"#panel=wall&face=seed:0&wall={wall}"))[..., :3]
        side = 4 << len(widths)
        # Two values of the smallest generator's 16,384 are 0.012 %.
        assert_close(
            pixels, drawn(bollygan_infer, "--model", stored, *latents, side=side), share=2e-4
        )
        # float16 changes 0.7 % of the bundled generator's values (see its card), and more where
        # weights are random.
        assert_close(
            pixels, drawn(bollygan_infer, "--model", model, *latents, side=side), share=2e-2
        )


# --- Plane


def test_the_plane_is_dragged_and_walked_with_keys(visit, explorer, bollygan_infer):
    seen = visit(explorer, "#panel=plane&face=seed:1150&plane=50,11")
    seen.page.locator("#map").scroll_into_view_if_needed()
    box = seen.page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    seen.page.mouse.move(x, y)
    seen.page.mouse.down()
    seen.page.mouse.move(x - 40, y - 25, steps=8)
    seen.page.mouse.up()
    assert 50 < float(seen.page.input_value("#plane-x")) < 51
    assert 11 < float(seen.page.input_value("#plane-y")) < 12
    assert seen.text("#face-title") == "Between seeds 1150, 1151, 1250 and 1251"

    seen.page.focus("#map")
    seen.page.keyboard.press("Home")
    seen.wait_for_drawing("Seed 1150")
    # Faster than the journeys from seed to seed: each press counts.
    for key in ["Right", "Down", "Right", "Down", "Left", "Up"]:
        seen.page.keyboard.press(f"Shift+Arrow{key}")
    seen.wait_for_drawing("Seed 1251")
    for _ in range(3):
        seen.page.keyboard.press("ArrowRight")
    assert seen.page.input_value("#plane-x") == "51.3"
    assert seen.text("#face-title") == "Between seeds 1251 and 1252"

    # A click goes to the seed that it hits.
    seen.page.fill("#seed", "1150")
    seen.page.keyboard.press("Enter")
    unit = max(76, min(132, box["width"] / 7))
    seen.page.mouse.click(x + unit, y)
    seen.wait_for_drawing("Seed 1151")
    seen.page.wait_for_selector('#face[data-drawn="Seed 1151"]')
    assert_close(face_pixels(seen), drawn(bollygan_infer, "--seeds", 1151)[0], share=1e-3)
    assert not seen.errors


def test_lattice_points_are_seeds(visit, explorer, bollygan_infer):
    seen = visit(explorer)
    seeds = [0, 99, 100, 31415, 4294967295]
    for seed, face in zip(seeds, drawn(bollygan_infer, "--seeds", ",".join(map(str, seeds)))):
        seen.page.fill("#seed", str(seed))
        seen.page.keyboard.press("Enter")
        seen.wait_for_drawing(f"Seed {seed}")
        assert float(seen.page.input_value("#plane-x")) == seed % 100
        assert float(seen.page.input_value("#plane-y")) == seed // 100
        assert_close(face_pixels(seen), face, share=1e-3)


def test_between_seeds_the_latent_follows_the_sphere(visit, explorer):
    seen = visit(explorer, "#face=plane:3.25,4.5&plane=3.25,4.5")
    file, name = seen.download("#save-npy")
    assert name == "plane3.25,4.5.npy"
    upper = slerp(numpy_latent(403), numpy_latent(404), 0.25)
    lower = slerp(numpy_latent(503), numpy_latent(504), 0.25)
    latent = np.load(io.BytesIO(file))
    assert latent.shape == (1, 64) and latent.dtype == np.float32
    np.testing.assert_allclose(latent[0], slerp(upper, lower, 0.5), rtol=0, atol=1e-6)


# --- Wall, kept faces, mixes


def test_faces_are_kept_named_and_let_go(visit, explorer):
    seen = visit(explorer, "#panel=wall&face=seed:0&wall=torch:42")
    seen.wait_for_wall()
    buttons = seen.page.locator("#wall button")
    for index in (3, 11, 20):
        buttons.nth(index).click()
    assert buttons.nth(11).get_attribute("aria-pressed") == "true"
    assert seen.text("#face-title") == "Seed 42, face 20"
    assert seen.page.locator("#kept-list li").count() == 3
    buttons.nth(11).click()
    assert buttons.nth(11).get_attribute("aria-pressed") == "false"
    assert seen.page.locator("#kept-list li").count() == 2

    # A name is text, whatever it looks like.
    name = "<img src=x onerror=alert(1)>"
    seen.page.locator("#kept-list input").first.fill(name)
    seen.wait_for_saving("onerror")
    seen.open("mix")
    assert name in seen.text("#mix-0 option:first-child")
    assert seen.page.locator("img").count() == 0

    seen.page.get_by_role("button", name="Let Seed 42, face 20 go").click()
    assert seen.page.locator("#kept-list li").count() == 1
    assert seen.page.locator("#mix-form").is_hidden()
    assert not seen.errors


def test_the_wall_works_by_keyboard(visit, explorer):
    seen = visit(explorer, "#panel=wall&face=seed:0&wall=torch:42")
    seen.wait_for_wall()
    seen.page.focus("#wall button")
    for key in ["ArrowRight", "ArrowDown", "Enter"]:
        seen.page.keyboard.press(key)
    assert seen.text("#face-title") == "Seed 42, face 9"
    assert seen.page.locator("#kept-list li").count() == 1
    seen.page.keyboard.press("End")
    seen.page.keyboard.press("Space")
    assert seen.text("#face-title") == "Seed 42, face 63"
    seen.page.click("#wall-after")
    seen.wait_for_saving("wall=torch:43")
    seen.page.select_option("#wall-random", "numpy")
    seen.page.fill("#wall-seed", "4294967290")
    seen.page.keyboard.press("Tab")
    assert "whole number" in seen.text("#wall-error")


def test_mixing_adds_what_sets_two_faces_apart(visit, explorer, bollygan_infer, tmp_path):
    seen = visit(explorer, "#panel=plane&face=seed:0&keep=seed:4%7E&keep=seed:15%7E&keep=seed:9%7E")
    seen.open("mix")
    seen.wait_for_drawing("Mixed face")
    assert seen.text("#face-recipe") == "seed 4 + 0.7 (seed 15 − seed 9)"
    file, _ = seen.download("#save-npy")
    a, b, c = (numpy_latent(seed).astype(np.float64) for seed in (4, 15, 9))
    expected = (a + 0.7 * (b - c)).astype(np.float32)
    np.testing.assert_allclose(np.load(io.BytesIO(file))[0], expected, rtol=0, atol=1e-6)

    # The command draws the same face from the file, and its PNG has the same text.
    (tmp_path / "mix.npy").write_bytes(file)
    png, name = seen.download("#save-png")
    assert name == "mix.png"
    bollygan_infer("--latents", tmp_path / "mix.npy", "--out", f"{tmp_path}/faces/")
    drawn_again = tmp_path / "faces" / "latent0000.png"
    page, command = texts(png), texts(drawn_again.read_bytes())
    assert page.pop("bollygan:expression") == "mix:0.7(seed:4;seed:15;seed:9)"
    assert page == command
    assert_close(
        np.asarray(Image.open(io.BytesIO(png)), dtype=int),
        np.asarray(Image.open(drawn_again), dtype=int),
        share=1e-3,
    )

    seen.page.focus("#mix-factor")
    seen.page.keyboard.press("Home")
    seen.wait_for_saving("mix=-2:0,1,2")
    assert seen.text("#mix-value") == "−2"
    seen.page.select_option("#mix-0", "1")
    assert seen.text("#face-recipe") == "seed 15 − 2 (seed 15 − seed 9)"
    assert not seen.errors


# --- Walks

KEPT = "&keep=seed:3%7E&keep=seed:14%7E&keep=seed:15%7E"


def test_a_walk_goes_where_interpolate_goes(visit, explorer, bollygan_infer, tmp_path):
    seen = visit(explorer, f"#panel=walk&face=seed:0&walk=5:line:0{KEPT}")
    command = drawn(bollygan_infer, "interpolate", "--seeds", "3,14,15", "--steps", 5)
    assert seen.page.get_attribute("#walk-step", "max") == "10"
    for step in (0, 3, 10):
        seen.page.fill("#walk-step", str(step))
        seen.wait_for_drawing(f"Walk, step {step} of 10")
        assert_close(face_pixels(seen), command[step], share=1e-3)

    # An animation, a strip and the latents of the ends.
    png, name = seen.download("#save-animation")
    animation = Image.open(io.BytesIO(png))
    assert name == "walk.png" and animation.n_frames == 11
    animation.seek(7)
    frame = np.asarray(animation.convert("RGB"), dtype=int)
    assert_close(frame, command[7], share=1e-3)

    png, name = seen.download("#save-strip")
    bollygan_infer("interpolate", "--seeds", "3,14,15", "--out", tmp_path / "strip.png")
    strip = (tmp_path / "strip.png").read_bytes()
    assert name == "strip.png" and texts(png) == texts(strip)
    assert_close(
        np.asarray(Image.open(io.BytesIO(png)), dtype=int),
        np.asarray(Image.open(io.BytesIO(strip)), dtype=int),
        share=1e-3,
    )

    file, _ = seen.download("#save-walk")
    saved = tmp_path / "z.npy"
    bollygan_infer("--seeds", "3,14,15", "--save-latents", saved, "--out", tmp_path / "z.png")
    assert file == saved.read_bytes()
    assert seen.text("#walk-command") == (
        "bollygan-infer interpolate --seeds 3,14-15 --steps 5 --out walk.webp"
    )
    assert not seen.errors


def test_a_walk_plays_and_pauses(visit, explorer):
    seen = visit(explorer, f"#panel=walk&face=seed:0&walk=30:loop:0{KEPT}")
    seen.page.click("#play")
    assert seen.text("#play") == "Pause"
    seen.page.wait_for_selector('#face[aria-label*="of 89"]')
    seen.page.wait_for_timeout(500)
    seen.page.click("#play")
    place = seen.page.input_value("#walk-step")
    assert place != "0"
    seen.page.wait_for_timeout(200)
    assert seen.page.input_value("#walk-step") == place
    seen.page.uncheck("#walk-loop")
    assert seen.page.get_attribute("#walk-step", "max") == "60"


# --- Files and links


@pytest.mark.parametrize(
    ("face", "arguments", "name"),
    [
        ("seed:7", ("--seeds", 7), "seed0007"),
        ("torch:42:5", ("--seed", 42, "--count", 64), "seed42-0005"),
        ("torch:18446744073709551615:0", ("--seed", -1, "--count", 64), "seed-1-0000"),
    ],
)
def test_files_are_the_commands(visit, explorer, bollygan_infer, tmp_path, face, arguments, name):
    seen = visit(explorer, f"#face={face}")
    bollygan_infer(*arguments, "--out", f"{tmp_path}/faces/", "--save-latents", tmp_path / "z.npy")
    png, saved = seen.download("#save-png")
    assert saved == f"{name}.png"
    command = (tmp_path / "faces" / saved).read_bytes()
    assert texts(png) == texts(command)
    assert_close(
        np.asarray(Image.open(io.BytesIO(png)), dtype=int),
        np.asarray(Image.open(io.BytesIO(command)), dtype=int),
        share=1e-3,
    )
    index = int(face.split(":")[2]) if face.startswith("torch") else 0
    latent, _ = seen.download("#save-npy")
    stored = np.load(tmp_path / "z.npy")[index : index + 1]
    written = io.BytesIO()
    np.save(written, stored)
    assert latent == written.getvalue()


def test_a_link_restores_everything(visit, explorer):
    seen = visit(explorer, f"#panel=walk&face=seed:0&walk=5:line:0{KEPT}")
    name = "Ásha & co: 100 % ~ a=b#c"
    seen.page.locator("#kept-list input").nth(1).fill(name)
    seen.page.fill("#walk-step", "7")
    seen.open("wall")
    seen.page.fill("#wall-seed", "77")
    seen.page.keyboard.press("Enter")
    seen.wait_for_saving("wall=torch:77")
    seen.page.click("#copy-link")
    link = seen.page.input_value("#link")

    again = visit(explorer, "#" + link.partition("#")[2])
    assert again.page.get_attribute("#tab-wall", "aria-selected") == "true"
    assert again.text("#face-title") == "Walk, step 7 of 10"
    assert again.page.input_value("#wall-seed") == "77"
    assert again.page.locator("#kept-list input").nth(1).input_value() == name
    assert (face_pixels(again) == face_pixels(seen)).all()
    again.page.reload()
    again.page.wait_for_selector("html[data-state=ready]")
    again.wait_for_saving("wall=torch:77")
    assert again.page.get_attribute("html", "data-saved") == link.partition("#")[2]
    assert again.text("#notices") == ""

    # A link that is pasted into the address of an open page.
    again.page.evaluate("() => { location.hash = 'panel=plane&face=seed:5&plane=5,0'; }")
    again.wait_for_drawing("Seed 5")
    assert again.page.locator("#kept-list li").count() == 0
    assert not again.errors


DAMAGED = [
    "face",
    "face=seed:4294967296",
    "face=seed:-1",
    "face=torch:1:64",
    "face=torch:99999999999999999999:0",
    "face=plane:1e9,0",
    "face=mix:0.7(seed:1;seed:2)",
    "face=walk:30:loop:90(seed:1;seed:2;seed:3)",
    "face=walk:0:loop:0(seed:1;seed:2)",
    "face=seed:1&face=seed:2",
    "face=seed:1&unknown=1",
    "face=seed:1&__proto__=1",
    "face=seed:1&wall=numpy:4294967290",
    "face=seed:1&keep=seed:1",
    "face=seed:1&keep=%E0%A4%A%7E",
    "panel=wall",
    "face=" + "mix:0.7(" * 20 + "seed:1",
]


def test_a_damaged_link_starts_afresh_and_says_so(visit, explorer):
    seen = visit(explorer, "#" + DAMAGED[0])
    for fragment in DAMAGED[1:] + DAMAGED[:1]:
        assert "damaged" in seen.text("#notices"), fragment
        assert seen.text("#face-title") == "Seed 2449", fragment
        seen.page.click("#notices button")
        assert seen.page.locator("#notices li").count() == 0
        seen.page.evaluate("() => { location.hash = 'face=seed:7'; }")
        seen.wait_for_drawing("Seed 7")
        seen.page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        seen.wait_for_drawing("Seed 2449")


def test_a_link_from_another_generator_is_noticed(visit, explorer):
    seen = visit(explorer, "#model=0123456789ab&face=seed:7")
    assert "another generator" in seen.text("#notices")
    assert seen.text("#face-title") == "Seed 7"


# --- What can go wrong


@pytest.mark.parametrize(("element", "what"), [("engine", "engine"), ("weights", "generator")])
def test_a_damaged_page_says_what_is_damaged(visit, explorer, tmp_path, element, what):
    page = explorer.read_bytes()
    place = page.index(f'id="{element}">'.encode()) + 2000
    changed = b"A" if page[place : place + 1] != b"A" else b"B"
    path = tmp_path / "damaged.html"
    path.write_bytes(page[:place] + changed + page[place + 1 :])
    seen = visit(path, state="failed")
    assert seen.text("#failure-text").startswith(f"This page is damaged: its {what}")
    assert seen.page.locator("#explorer").is_hidden()


def failing_worker(action):
    """A worker that does something else than its program."""
    return (
        "window.Worker = class { constructor() {} terminate() {} postMessage() {"
        f" setTimeout(() => {{ {action} }}); }} }};"
    )


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("WebAssembly.validate = () => false;", "does not run WebAssembly with SIMD"),
        ("delete window.WebAssembly;", "does not run WebAssembly with SIMD"),
        (
            failing_worker("this.onmessage({ data: { failure: 'memory' } })"),
            "too little memory for this generator",
        ),
        (
            failing_worker("this.onerror({ message: 'refused', preventDefault() {} })"),
            "The drawing engine does not start: refused",
        ),
        ("window.Worker = undefined;", "The drawing engine does not start"),
    ],
    ids=["no-simd", "no-webassembly", "no-memory", "worker-fails", "no-workers"],
)
def test_a_browser_that_cannot_draw_is_told_why(visit, explorer, script, sentence):
    seen = visit(explorer, script=script, state="failed")
    assert sentence in seen.text("#failure-text")


# The first workers stop at their fourth message; the first message starts a worker.
STOPPING_WORKERS = """
  let started = 0;
  window.Worker = class extends Worker {
    number = started++;
    messages = 0;
    postMessage(message) {
      if (this.number < %d && this.messages++ === 3) {
        setTimeout(() => this.onerror({ message: 'stopped', preventDefault() {} }));
      } else super.postMessage(message);
    }
  };"""


def test_another_worker_goes_on_when_one_stops(visit, explorer, bollygan_infer):
    seen = visit(explorer, "#panel=wall&face=seed:0&wall=torch:42", script=STOPPING_WORKERS % 1)
    pixels = wall_pixels(seen)
    assert "A drawing worker stopped" in seen.text("#notices")
    command = drawn(bollygan_infer, "--seed", 42, "--count", 64)
    assert_close(pixels[..., :3], command, share=1e-4)


def test_the_page_says_when_no_worker_is_left(visit, explorer):
    seen = visit(explorer, "#panel=plane&face=seed:0", script=STOPPING_WORKERS % 99)
    for seed in range(10):
        seen.page.evaluate(f"() => {{ location.hash = 'face=seed:{seed}'; }}")
        seen.page.wait_for_timeout(200)
    seen.page.wait_for_selector("html[data-state=failed]")
    assert "Reload the page" in seen.text("#failure-text")


# --- The page itself


def test_the_policy_allows_nothing_but_the_page(explorer):
    page = explorer.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]+=*' 'wasm-unsafe-eval'", directives["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]+=*'", directives["style-src"])
    assert directives["worker-src"] == "blob:"
    assert "unsafe-inline" not in policy and "connect-src" not in policy
    assert len(page) < 9_500_000
    assert "http://" not in page and "https://" not in page


def test_a_request_would_be_refused(visit, explorer):
    seen = visit(explorer)
    refused = seen.page.evaluate(
        "() => fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => String(error))"
    )
    assert "Failed to fetch" in refused
    assert any("Content Security Policy" in error for error in seen.errors)


def test_about_tells_command_model_limits_and_versions(visit, explorer):
    seen = visit(explorer, "#panel=about&face=torch:42:5")
    assert seen.text("#command") == "bollygan-infer --seed 42 --count 64 --out faces/"
    assert seen.text("#command-note").endswith("faces/seed42-0005.png.")
    about = seen.text("#panel-about")
    for part in ["DCGAN", "3,", "b9ecc6f33df4", "7,114 face crops", "one face in eight", "workers"]:
        assert part in about
    seen.page.wait_for_timeout(500)
    assert "bollygan-export 0." in about


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_panel_fits_every_width(visit, explorer, scheme):
    seen = visit(explorer, f"#face=seed:0{KEPT}", color_scheme=scheme)
    for width in (360, 400, 520, 768, 821, 1300, 2000):
        seen.page.set_viewport_size({"width": width, "height": 900})
        for panel in ("plane", "wall", "mix", "walk", "about"):
            seen.open(panel)
            wide = seen.page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= width, (width, panel)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_checker_finds_nothing(visit, explorer, scheme):
    seen = visit(explorer, f"#face=seed:0{KEPT}", color_scheme=scheme)
    for panel in ("plane", "wall", "mix", "walk", "about"):
        seen.open(panel)
        violations = Axe().run(seen.page).response["violations"]
        assert not violations, [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations]


def test_tabs_work_by_keyboard_and_everything_has_a_name(visit, explorer):
    seen = visit(explorer, f"#panel=plane&face=seed:0{KEPT}")
    seen.page.focus("#tab-plane")
    for panel in ("wall", "mix", "walk", "about"):
        seen.page.keyboard.press("ArrowRight")
        assert seen.page.evaluate("() => document.activeElement.id") == f"tab-{panel}"
        assert seen.page.locator(f"#panel-{panel}").is_visible()
        for control in seen.page.locator("button, input, select, canvas[role]").all():
            if control.is_visible():
                name = control.evaluate(
                    "(e) => e.ariaLabel || e.textContent || e.labels?.[0]?.textContent"
                )
                assert name and name.strip(), control.evaluate("(e) => e.outerHTML")


def test_focus_is_visible(visit, explorer):
    seen = visit(explorer)
    seen.page.keyboard.press("Tab")
    style = seen.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_less_motion_jumps_instead_of_travelling(visit, explorer):
    seen = visit(explorer, "#panel=plane&face=seed:1150&plane=50,11", reduced_motion="reduce")
    seen.page.focus("#map")
    seen.page.keyboard.press("Shift+ArrowRight")
    assert seen.text("#face-title") == "Seed 1151"


def test_the_same_generator_gives_the_same_page(explorer, bollygan_export, tmp_path):
    bollygan_export(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == explorer.read_bytes()


def test_a_page_is_for_generators(bollygan_export, tmp_path):
    refused = bollygan_export("--discriminator", tmp_path / "judge.html", status=64)
    assert b"generators only" in refused.stderr
    refused = bollygan_export("--dtype", "int8", tmp_path / "explore.html", status=64)
    assert b"only f16, f32" in refused.stderr
