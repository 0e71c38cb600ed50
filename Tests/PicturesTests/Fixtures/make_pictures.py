"""Makes the picture files of this folder and what is to be read from them.

    python make_pictures.py

Needs Pillow and numpy, and cjpeg of libjpeg-turbo. The files here were made with Pillow 13.0.0
(libjpeg-turbo 3.2.0, libwebp 1.6.0), numpy 2.4.6 and cjpeg 2.1.5. Everything is drawn: no
photographs.

files/          the pictures
pictures.csv    one line a file: upright width and height, then CRC-32 of the RGB samples under
                the rules "kind" and "pillow", then words of the remark that is to come, if any.
                "-" where the file must be refused (then the words are of the reason), "?" where
                nothing is claimed (Pillow refuses the file and we do not).

The "pillow" column is what Pillow itself gives. The "kind" column of PNG files comes from the
samples that were drawn, by the formulas written here; that of JPEG and WebP files from Pillow's
decoder and ImageOps.exif_transpose.
"""

import io
import itertools
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageOps

HERE = pathlib.Path(__file__).parent
FILES = HERE / "files"
LINES = []


# What is drawn


def scene(width, height):
    """A sky, a hill, a sun and a house: smooth ramps, hard edges, strong colours."""
    scale = 4
    w, h = width * scale, height * scale
    y, x = np.mgrid[0:h, 0:w].astype(float)
    rgb = np.stack([90 + 120 * y / h, 140 + 80 * x / w, 235 - 90 * y / h], axis=2)
    image = Image.fromarray(rgb.round().astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse([w * 0.62, h * 0.08, w * 0.86, h * 0.42], fill=(255, 214, 40))
    draw.ellipse([-w * 0.3, h * 0.62, w * 0.9, h * 1.9], fill=(40, 140, 60))
    draw.rectangle([w * 0.2, h * 0.45, w * 0.48, h * 0.75], fill=(190, 40, 30))
    draw.polygon(
        [(w * 0.16, h * 0.46), (w * 0.34, h * 0.22), (w * 0.52, h * 0.46)], fill=(60, 20, 90)
    )
    draw.rectangle([w * 0.3, h * 0.55, w * 0.37, h * 0.75], fill=(0, 0, 0))
    return image.resize((width, height), Image.BOX)


def deep(width, height, channels):
    """16-bit samples of all sizes, in particular around 0, 255, 256 and 65535."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    samples = (x * 2999 + y * 4421 + c * 17011 + x * y * 37) % 65536
    few = [0, 1, 127, 128, 129, 254, 255, 256, 257, 385, 386, 32767, 32896, 65278, 65407, 65535]
    flat = samples.reshape(-1)
    flat[: len(few)] = few[: len(flat)]
    return samples.astype(np.uint16)


# PNG, written here because Pillow writes neither interlaced nor deep colour files

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PASSES = [
    (0, 8, 0, 8),
    (4, 8, 0, 8),
    (0, 4, 4, 8),
    (2, 4, 0, 4),
    (0, 2, 2, 4),
    (1, 2, 0, 2),
    (0, 1, 1, 2),
]
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, content, crc=None):
    body = kind + content
    return (
        struct.pack(">I", len(content))
        + body
        + struct.pack(">I", zlib.crc32(body) if crc is None else crc)
    )


def ihdr(width, height, depth, colour, interlaced=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def packed(samples, depth):
    """Rows of bytes."""
    height, width, channels = samples.shape
    flat = samples.reshape(height, width * channels)
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in flat]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in flat]
    per = 8 // depth
    padded = np.zeros((height, -(-flat.shape[1] // per) * per), np.uint8)
    padded[:, : flat.shape[1]] = flat
    rows = np.zeros((height, padded.shape[1] // per), np.uint8)
    for i in range(per):
        rows |= padded[:, i::per] << (8 - depth * (i + 1))
    return [row.tobytes() for row in rows]


def filtered(rows, step, first):
    """Filters 0 to 4 in turn, so that each is met."""
    out, before = [], bytes(len(rows[0])) if rows else b""
    for number, row in enumerate(rows):
        kind = (first + number) % 5
        line = bytearray([kind])
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = before[i]
            c = before[i - step] if i >= step else 0
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((value - [0, a, b, (a + b) // 2, near][kind]) % 256)
        out.append(bytes(line))
        before = row
    return b"".join(out)


def raw_data(samples, depth, interlaced):
    step = max(1, samples.shape[2] * depth // 8)
    if not interlaced:
        return filtered(packed(samples, depth), step, 0)
    parts = []
    for number, (x0, dx, y0, dy) in enumerate(PASSES):
        part = samples[y0::dy, x0::dx]
        if part.size:
            parts.append(filtered(packed(part, depth), step, number))
    return b"".join(parts)


def png(
    samples, depth, colour, interlaced=0, before=b"", palette=None, transparency=None, split=None
):
    height, width, _ = samples.shape
    data = zlib.compress(raw_data(samples, depth, interlaced), 9)
    pieces = [data] if split is None else [data[i : i + split] for i in range(0, len(data), split)]
    return b"".join(
        [SIGNATURE, ihdr(width, height, depth, colour, interlaced), before]
        + ([chunk(b"PLTE", palette)] if palette is not None else [])
        + ([chunk(b"tRNS", transparency)] if transparency is not None else [])
        + [chunk(b"IDAT", piece) for piece in pieces]
        + [chunk(b"IEND", b"")]
    )


def eight_bits(samples, depth):
    samples = samples.astype(np.int64)
    if depth == 16:
        return (samples + 128) // 257
    return samples * 255 // (2**depth - 1)


def over_white(colours, alpha):
    colours, alpha = colours.astype(np.int64), alpha.astype(np.int64)[..., None]
    return (colours * alpha + 255 * (255 - alpha) + 127) // 255


def kind_of_png(samples, depth, colour, palette=None, transparency=None):
    """RGB as the kind rules have it, from the samples themselves."""
    if colour == 3:
        table = np.frombuffer(palette, np.uint8).reshape(-1, 3)
        rgb = table[samples[..., 0]]
        if transparency is not None:
            alphas = np.full(len(table), 255)
            alphas[: len(transparency)] = list(transparency)
            rgb = over_white(rgb, alphas[samples[..., 0]])
        return rgb
    levels = eight_bits(samples, depth)
    if colour in (4, 6):
        result = over_white(levels[..., :-1], levels[..., -1])
    elif transparency is not None:
        key = struct.unpack(f">{SAMPLES[colour]}H", transparency)
        clear = (samples == np.array(key)).all(axis=2)
        assert clear.any() and not clear.all()
        result = over_white(levels, np.where(clear, 0, 255))
    else:
        result = levels
    return np.repeat(result, 3, axis=2) if result.shape[2] == 1 else result


# The table


def crc(rgb):
    return f"{zlib.crc32(np.ascontiguousarray(rgb).astype(np.uint8).tobytes()):08x}"


def pillow(data):
    """What Pillow gives, or None where it refuses."""
    try:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def upright(data):
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def add(name, data, kind, words=""):
    """A file that must be read; `kind` are its RGB samples."""
    (FILES / name).write_bytes(data)
    theirs = pillow(data)
    LINES.append(
        [
            name,
            kind.shape[1],
            kind.shape[0],
            crc(kind),
            "?" if theirs is None else crc(theirs),
            words,
        ]
    )


def refuse(name, data, words):
    """A file that must be refused."""
    (FILES / name).write_bytes(data)
    LINES.append([name, 0, 0, "-", "-", words])


def make_png():
    width, height = 21, 13
    names = {0: "gray", 2: "rgb", 3: "palette", 4: "gray-alpha", 6: "rgba"}
    depths = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
    for colour, interlaced in itertools.product(names, (0, 1)):
        for depth in depths[colour]:
            samples = deep(width, height, SAMPLES[colour]) >> (16 - depth)
            palette, keys = None, [None]
            if colour == 3:
                size = min(2**depth, 200)
                samples %= size
                palette = bytes(
                    (i * 37 + c * 91 + i * c * 11) % 256 for i in range(size) for c in range(3)
                )
                keys.append(bytes((255 - 50 * i) % 256 for i in range(min(5, size))))
            elif colour in (0, 2):
                keys.append(struct.pack(f">{SAMPLES[colour]}H", *samples[5, 7]))
            for key in keys:
                name = (
                    f"{names[colour]}-{depth}bit"
                    + ("-key" if key else "")
                    + ("-interlaced" if interlaced else "")
                )
                data = png(samples, depth, colour, interlaced, palette=palette, transparency=key)
                add(f"{name}.png", data, kind_of_png(samples, depth, colour, palette, key))

    # Passes of Adam7 that are empty.
    for w, h in [(1, 1), (1, 5), (5, 1), (2, 2), (3, 3), (4, 9), (8, 8)]:
        samples = deep(w, h, 3) >> 8
        add(f"interlaced-{w}x{h}.png", png(samples, 8, 2, 1), kind_of_png(samples, 8, 2))

    samples = np.asarray(scene(width, height))
    plain = png(samples, 8, 2)
    kind = kind_of_png(samples, 8, 2)
    header, rest = plain[:33], plain[33:]
    add("many-idat.png", png(samples, 8, 2, split=7), kind)
    add("long-tail.png", plain + b"junk" * 100, kind, "400 bytes after its end")
    # Text and profiles never reach libpng: neither bombs nor bad checksums in them matter.
    bomb = zlib.compress(bytes(30_000_000), 9)
    add(
        "text-bomb.png",
        header + chunk(b"zTXt", b"Comment\0\0" + bomb) + chunk(b"iCCP", b"x\0\0" + bomb) + rest,
        kind,
    )
    add("bad-ancillary-checksum.png", header + chunk(b"tEXt", b"a\0b", crc=1) + rest, kind)
    add("suggested-palette.png", header + chunk(b"PLTE", bytes(range(9))) + rest, kind)
    for orientation in range(1, 9):
        exif = tiff(orientation, "<" if orientation % 2 else ">")
        data = header + chunk(b"eXIf", exif) + rest
        add(f"exif-{orientation}.png", data, upright(data))
    index = np.full((4, 4, 1), 3)
    index[0, 0] = 200  # beyond the palette: black
    palette = bytes([200, 100, 50] * 4)
    add(
        "palette-index-too-large.png",
        png(index, 8, 3, palette=palette),
        kind_of_png(index, 8, 3, palette.ljust(768, b"\0")),
    )

    at = rest.index(b"IDAT") - 4
    data = rest[at + 8 : -16]
    end = chunk(b"IEND", b"")
    refuse("bad-header-checksum.png", plain[:29] + b"\0\0\0\0" + rest, "checksum of chunk IHDR")
    refuse("bad-data-checksum.png", plain[:-14] + b"\0\0" + end, "checksum of chunk IDAT")
    refuse(
        "bad-palette-checksum.png",
        SIGNATURE + ihdr(4, 4, 8, 3) + chunk(b"PLTE", palette, crc=5) + png(index, 8, 3)[33:],
        "checksum of chunk PLTE",
    )
    refuse("cut-in-data.png", plain[: len(plain) // 2], "chunk IDAT needs")
    refuse("cut-before-end.png", plain[:-12], "before its end chunk")
    refuse("cut-in-header.png", plain[:20], "chunk IHDR needs 13 bytes")
    refuse("signature-only.png", SIGNATURE, "before its end chunk")
    raw = raw_data(samples, 8, 0)
    whole = lambda zlib_stream: header + chunk(b"IDAT", zlib_stream) + end
    refuse("stream-ends-early.png", whole(zlib.compress(raw, 9)[:-120]), "")
    refuse("rows-missing.png", whole(zlib.compress(raw[: len(raw) * 3 // 4])), "last row")
    refuse("half-row-missing.png", whole(zlib.compress(raw[:-20])), "last row")
    refuse("stream-broken.png", whole(data[:200] + bytes(40) + data[240:]), "its data is broken")
    refuse("stream-is-no-zlib.png", whole(b"\xff" * 400), "its data is broken")
    refuse("no-such-filter.png", whole(zlib.compress(b"\x07" + raw[1:])), "filter")
    interlaced = raw_data(samples, 8, 1)
    refuse(
        "interlaced-pass-missing.png",
        SIGNATURE
        + ihdr(width, height, 8, 2, 1)
        + chunk(b"IDAT", zlib.compress(interlaced[:-70]))
        + end,
        "last row",
    )
    add("rows-to-spare.png", whole(zlib.compress(raw + bytes(9000))), kind, "Extra compressed data")
    refuse(
        "bomb-header.png",
        SIGNATURE + ihdr(60000, 60000, 8, 2) + chunk(b"IDAT", data) + end,
        "60000 x 60000",
    )
    refuse("too-wide.png", SIGNATURE + ihdr(8193, 1, 8, 2) + chunk(b"IDAT", data) + end, "8193 x 1")
    refuse(
        "lying-header.png",
        SIGNATURE + ihdr(5000, 5000, 8, 2) + chunk(b"IDAT", data) + end,
        "cannot hold 5000 x 5000",
    )
    refuse("no-pixels.png", SIGNATURE + ihdr(0, 7, 8, 2) + chunk(b"IDAT", data) + end, "0 x 7")
    refuse("two-headers.png", header + header[8:] + rest, "two IHDR")
    refuse("no-header.png", SIGNATURE + rest, "no IHDR")
    refuse("no-data.png", header + end, "no IDAT")
    refuse("no-palette.png", SIGNATURE + ihdr(4, 4, 8, 3) + png(index, 8, 3)[33:], "no palette")
    refuse(
        "no-such-depth.png",
        SIGNATURE + ihdr(width, height, 4, 2) + rest,
        "no colour type 2 of 4 bits",
    )
    refuse(
        "no-such-method.png",
        SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 1, 0, 0)) + rest,
        "compression 1",
    )
    refuse(
        "data-interrupted.png",
        header
        + chunk(b"IDAT", data[:50])
        + chunk(b"tEXt", b"a\0b")
        + chunk(b"IDAT", data[50:])
        + end,
        "do not follow",
    )
    refuse("unknown-critical.png", header + chunk(b"ABCD", b"") + rest, "critical chunk ABCD")
    refuse("bad-chunk-name.png", header + chunk(b"a c\n", b"") + rest, "no chunk begins")
    refuse(
        "palette-after-data.png",
        header + chunk(b"IDAT", data) + chunk(b"PLTE", bytes(9)) + end,
        "PLTE",
    )
    refuse("palette-odd.png", header + chunk(b"PLTE", bytes(8)) + rest, "PLTE chunk of 8")
    refuse("key-odd.png", header + chunk(b"tRNS", bytes(5)) + rest, "tRNS chunk of 5")
    refuse("length-overflow.png", header + b"\xff\xff\xff\xffIDAT" + data, "needs 4294967295 bytes")


# EXIF


def tiff(orientation, order="<", type=3, entries=None):
    """A TIFF block with a few entries, the orientation among them."""
    mark = b"II" if order == "<" else b"MM"
    value = (
        struct.pack(order + "HHI", 0x0112, type, 1)
        + struct.pack(order + "H", orientation)
        + bytes(2)
    )
    other = struct.pack(order + "HHII", 0x0100, 4, 1, 77)
    listed = [other, value] if entries is None else entries
    return mark + struct.pack(order + "HIH", 42, 8, len(listed)) + b"".join(listed) + bytes(4)


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


# JPEG


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


def cjpeg(image, *options):
    with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
        image.save(file.name)
        return subprocess.run(
            ["cjpeg", *options, file.name], check=True, capture_output=True
        ).stdout


def inserted(data, *segments):
    return data[:2] + b"".join(segments) + data[2:]


def without(data, marker):
    """The file less the segments of one marker."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        size = 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if data[at + 1] != marker:
            out += data[at : at + size]
        at += size
    return out + data[at:]


def frame_at(data):
    """Where the frame header's marker lies."""
    at = 2
    while not (0xC0 <= data[at + 1] <= 0xCF and data[at + 1] not in (0xC4, 0xC8, 0xCC)):
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return at


def patched(data, at, value):
    return data[:at] + bytes(value) + data[at + len(value) :]


def scans(data):
    """The file cut before each start of scan, tables in front of it included; then its end."""
    pieces, at, start = [], 2, 0
    while True:
        marker = data[at + 1]
        if marker == 0xD9:
            return pieces + [data[at:]]
        size = 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        at += size
        if marker == 0xDA:
            while data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                at += 1
            pieces.append(data[start:at])
            start = at


def make_jpeg():
    image = scene(45, 35)  # fills no block
    gray = image.convert("L")
    variants = {
        "plain": cjpeg(image),
        "gray": jpeg(gray),
        "444": cjpeg(image, "-sample", "1x1"),
        "422": cjpeg(image, "-sample", "2x1"),
        "420": cjpeg(image, "-sample", "2x2"),
        "411": cjpeg(image, "-sample", "4x1"),
        "440": cjpeg(image, "-sample", "1x2"),
        "410": cjpeg(image, "-sample", "4x2"),
        "odd-sampling": cjpeg(image, "-sample", "3x1,1x1,1x1"),
        "luma-coarse": cjpeg(image, "-sample", "1x1,2x2,2x2"),
        "progressive": cjpeg(image, "-progressive"),
        "progressive-gray": jpeg(gray, progressive=True),
        "optimised": jpeg(image, optimize=True),
        "arithmetic": cjpeg(image, "-arithmetic"),
        "arithmetic-progressive": cjpeg(image, "-arithmetic", "-progressive"),
        "rgb": cjpeg(image, "-rgb"),
        "restart": cjpeg(image, "-restart", "2B"),
        "quality-5": cjpeg(image, "-quality", "5"),
        "quality-100": cjpeg(image, "-quality", "100", "-sample", "1x1"),
        "icc": jpeg(image, icc_profile=bytes(3000), comment=b"drawn"),
        "one-pixel": cjpeg(image.resize((1, 1))),
        "one-column": cjpeg(image.resize((1, 30))),
    }
    for name, data in variants.items():
        add(f"{name}.jpg", data, upright(data))
    plain = variants["plain"]
    progressive = variants["progressive"]

    for orientation in range(1, 9):
        exif = b"Exif\0\0" + tiff(orientation, ">" if orientation % 2 else "<")
        data = inserted(
            plain, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), segment(0xE1, exif)
        )
        add(f"exif-{orientation}.jpg", data, upright(data))
    as_stored = np.asarray(Image.open(io.BytesIO(plain)))
    silent = {
        "nine": tiff(9),
        "zero": tiff(0),
        "long": tiff(6, type=4),
        "cut": tiff(6)[:30],
        "beyond": b"II*\0\xff\xff\xff\x7f" + bytes(20),
        "many": b"II*\0\x08\0\0\0\xff\xff" + bytes(60),
        "empty": b"",
        "mixed": b"IM*\0\x08\0\0\0\0\0",
    }
    for name, block in silent.items():
        add(
            f"exif-silent-{name}.jpg",
            inserted(plain, segment(0xE1, b"Exif\0\0" + block)),
            as_stored,
        )

    # Four inks. Pillow always takes them for inverted, as Adobe stores them.
    inks = Image.merge("CMYK", [*ImageOps.invert(image).split(), gray.point(lambda v: v // 3)])
    cmyk = jpeg(inks, quality=90)
    add("cmyk.jpg", cmyk, np.asarray(Image.open(io.BytesIO(cmyk)).convert("RGB")))
    adobe = cmyk.index(b"Adobe")
    ycck = patched(cmyk, adobe + 11, [2])
    add("ycck.jpg", ycck, np.asarray(Image.open(io.BytesIO(ycck)).convert("RGB")))
    bare = without(cmyk, 0xEE)
    stored = Image.fromarray(255 - np.asarray(Image.open(io.BytesIO(bare))), "CMYK")
    add("cmyk-without-adobe.jpg", bare, np.asarray(stored.convert("RGB")))

    junk = plain + bytes(range(256)) * 8
    add("trailing-junk.jpg", junk, as_stored)
    between = plain[:20] + b"\0\0\0\0junk" + plain[20:]
    add("junk-between-segments.jpg", between, as_stored, "extraneous bytes")
    odd_transform = inserted(without(plain, 0xE0), segment(0xEE, b"Adobe\0\x64\0\0\0\0\x07"))
    add("adobe-transform-7.jpg", odd_transform, as_stored, "color transform code 7")
    add("no-end-marker.jpg", plain[:-2], as_stored, "no end marker")
    add("progressive-no-end-marker.jpg", progressive[:-2], upright(progressive), "no end marker")

    # A progressive file that leaves its finest bits out is coarse, not damaged.
    pieces = scans(progressive)
    coarse = b"".join(pieces[:-2] + pieces[-1:])
    assert crc(upright(coarse)) != crc(as_stored)
    add("progressive-coarse.jpg", coarse, upright(coarse))

    refuse("cut-half.jpg", plain[: len(plain) // 2], "")
    refuse("cut-late.jpg", plain[:-40], "")
    refuse("cut-in-header.jpg", plain[:160], "")
    refuse("cut-after-header.jpg", plain[: plain.index(b"\xff\xda") + 14], "")
    refuse("start-only.jpg", plain[:3], "")
    refuse("progressive-cut.jpg", progressive[: len(progressive) * 2 // 3], "")
    refuse("progressive-scan-missing.jpg", b"".join(pieces[:-2]), "last scan")
    refuse("arithmetic-cut.jpg", variants["arithmetic"][:-60], "last scan")
    refuse("arithmetic-no-end-marker.jpg", variants["arithmetic"][:-2], "last scan")
    refuse("ends-early.jpg", plain[: len(plain) * 2 // 3] + b"\xff\xd9", "premature end")
    frame = frame_at(plain)
    refuse("lying-size.jpg", patched(plain, frame + 5, [255, 255, 255, 255]), "65500")
    refuse(
        "lying-size-within-limits.jpg", patched(plain, frame + 5, [0x16, 0, 0x16, 0]), "more than"
    )
    refuse("lying-size-long.jpg", patched(plain, frame + 5, [0x20, 1, 0, 8]), "8 x 8193")
    refuse("no-pixels.jpg", patched(plain, frame + 5, [0, 0, 0, 0]), "")
    refuse("twelve-bits.jpg", patched(plain, frame + 4, [12]), "")
    refuse("lossless.jpg", patched(plain, frame + 1, [0xC3]), "Unsupported JPEG process")
    two = patched(
        plain,
        frame,
        b"\xff\xc0\0\x0e" + plain[frame + 4 : frame + 9] + b"\x02" + plain[frame + 10 : frame + 16],
    )
    refuse("two-components.jpg", two, "")
    tables = plain.index(b"\xff\xc4")
    refuse("huffman-table-broken.jpg", patched(plain, tables + 5, [255] * 16), "Huffman")
    refuse("no-quantisation.jpg", without(plain, 0xDB), "uantization table")
    scan = plain.index(b"\xff\xda") + 14
    refuse("data-overwritten.jpg", patched(plain, scan + 60, [0xFF, 0x37] * 6), "")
    restarted = variants["restart"]
    missing = restarted.index(b"\xff\xd1")
    refuse("restart-missing.jpg", restarted[:missing] + restarted[missing + 2 :], "")
    separate = scans(jpeg_in_scans(image))
    add("three-scans.jpg", b"".join(separate), upright(b"".join(separate)))
    refuse("three-scans-cut.jpg", b"".join(separate[:2]), "last scan")
    refuse(
        "many-scans.jpg",
        separate[0] + separate[1] * 120 + b"".join(separate[2:]),
        "more than 100 scans",
    )


def jpeg_in_scans(image):
    """A sequential file with a scan for each component."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as script:
        script.write("0;\n1;\n2;\n")
        script.flush()
        return cjpeg(image, "-scans", script.name)


# WebP


def webp(image, **options):
    out = io.BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def over_white_of(data):
    rgba = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    return over_white(rgba[..., :3], rgba[..., 3])


def make_webp():
    image = scene(45, 35)
    alpha = Image.fromarray((np.mgrid[0:35, 0:45][1] * 255 // 44).astype(np.uint8))
    clear = image.copy()
    clear.putalpha(alpha)
    for name, data in {
        "lossy": webp(image, quality=80),
        "lossless": webp(image, lossless=True),
        "lossy-alpha": webp(clear, quality=80),
        "lossless-alpha": webp(clear, lossless=True, exact=True),
    }.items():
        add(f"{name}.webp", data, over_white_of(data))
    for orientation in (1, 6, 7):
        data = webp(image, lossless=True, exif=b"Exif\0\0" + tiff(orientation))
        add(f"exif-{orientation}.webp", data, upright(data))
    frames = [image, ImageOps.invert(image), ImageOps.mirror(image)]
    animated = webp(
        frames[0], save_all=True, append_images=frames[1:], lossless=True, duration=[100, 50, 200]
    )
    add("animated.webp", animated, over_white_of(animated), "3 frames")
    lossy = (FILES / "lossy.webp").read_bytes()
    lossless = (FILES / "lossless.webp").read_bytes()
    refuse("cut.webp", lossy[: len(lossy) // 2], "")
    refuse("cut-lossless.webp", lossless[: len(lossless) // 2], "")
    refuse("cut-in-header.webp", lossy[:14], "")
    refuse("animated-cut.webp", animated[:60], "")
    at = lossy.index(b"\x9d\x01\x2a") + 3
    refuse("too-large.webp", patched(lossy, at, [0xFF, 0x3F, 0xFF, 0x3F]), "16383 x 16383")


# Files of other kinds


def make_others():
    image = scene(45, 35)
    for name, format, words in [
        ("gif-named.jpg", "GIF", "is a GIF file"),
        ("bmp-named.png", "BMP", "is a BMP file"),
        ("tiff-named.jpg", "TIFF", "is a TIFF file"),
        ("ppm-named.jpg", "PPM", "is a PGM or PPM file"),
        ("icon-named.png", "ICO", "is an icon file"),
        ("avif-named.jpg", "AVIF", "is an AVIF file"),
        ("pdf-named.jpg", "PDF", "is a PDF file"),
    ]:
        out = io.BytesIO()
        image.resize((16, 16)).save(out, format)
        refuse(name, out.getvalue()[:400], words)
    refuse("empty.jpg", b"", "is empty")
    refuse("text.jpg", b"This is not a picture.\n" * 9, "is text")
    refuse("page.png", b"<!DOCTYPE html><title>404</title>", "is text")
    refuse("noise.png", bytes((i * 167 + 13) % 256 for i in range(200)), "of a known kind")
    refuse("side-file.jpg", b"\0\5\x16\7" + bytes(80), "macOS side file")
    add(
        "png-named.jpg",
        (FILES / "rgb-8bit.png").read_bytes(),
        pillow((FILES / "rgb-8bit.png").read_bytes()),
    )
    plain = (FILES / "plain.jpg").read_bytes()
    add("jpeg-named.png", plain, pillow(plain))


def main():
    FILES.mkdir(exist_ok=True)
    for old in FILES.iterdir():
        old.unlink()
    make_png()
    make_jpeg()
    make_webp()
    make_others()
    lines = ["file,width,height,kind,pillow,words"] + [",".join(map(str, line)) for line in LINES]
    (HERE / "pictures.csv").write_text("\n".join(lines) + "\n")
    total = sum(file.stat().st_size for file in FILES.iterdir())
    print(f"{len(LINES)} files, {total} bytes")


if __name__ == "__main__":
    main()
