"""What is true of the repository as a whole."""

import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = ("bollygan-infer", "bollygan-train", "bollygan-export")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


FILES = tracked()
MARKDOWN = [name for name in FILES if name.endswith(".md")]


def text(name):
    """A tracked file's text, or nothing for a picture, weights and the like."""
    content = (ROOT / name).read_bytes()
    try:
        return "" if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return ""


# --- What is in the repository


def test_only_models_are_larger_than_two_megabytes():
    large = {
        name: (ROOT / name).stat().st_size
        for name in FILES
        if not name.startswith("models/") and (ROOT / name).stat().st_size > 2_000_000
    }
    assert not large


def test_the_models_card_and_the_readmes_faces_name_its_weights():
    (model,) = (ROOT / "models").glob("*.safetensors")
    content = model.read_bytes()
    tensors = content[8 + int.from_bytes(content[:8], "little") :]
    name = hashlib.sha256(tensors).hexdigest()
    assert name in text("models/README.md")
    assert name.encode() in (ROOT / "Documentation/images/faces.png").read_bytes()


def test_no_pickles_and_no_photographs():
    # Files for torch.load can run code, and a JPEG is most likely somebody's photograph; drawn ones
    # that test the decoder lie in a Fixtures folder.
    assert not [
        name
        for name in FILES
        if re.search(r"\.(pth|pt|pkl|ckpt|jpe?g)$", name, re.I) and "/Fixtures/" not in name
    ]


def test_no_path_of_one_machine():
    # A template for mkdtemp names no place, so it may stand.
    machine = re.compile(
        r"(?<![\w.])(/(work|root)/\w|/(home|Users)/\w{2,}/|/tmp/(?!\S*XXXXXX)\w)"
    )
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in FILES
        if name != "LICENSE" and "/house/" not in name
        for number, line in enumerate(text(name).splitlines(), 1)
        if machine.search(line)
    ]
    assert not found, "\n".join(found)


def test_nothing_is_left_for_later():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\.disabled\(|withKnownIssue|pytest\.mark\.xfail")
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in FILES
        if name.endswith((".swift", ".c", ".h", ".inc", ".py", ".sh")) and "/house/" not in name
        for number, line in enumerate(text(name).splitlines(), 1)
        if marks.search(line)
    ]
    assert not found, "\n".join(found)


# --- Memory safety

# Whatever takes apart bytes that a stranger may have written. (The codecs are C libraries; what
# walks over their files beforehand is here.)
READERS = [
    "Sources/Model/Safetensors*.swift",
    "Sources/Model/StoredTensor*.swift",
    "Sources/Model/StateDict.swift",
    "Sources/Model/NPYFile*.swift",
    "Sources/Model/Latents+Files.swift",
    "Sources/Pictures/PNGChunks.swift",
    "Sources/Pictures/EXIF.swift",
    "Sources/Export/ONNXScan.swift",
    "Sources/Export/ONNXGenerator*.swift",
    "Sources/Export/ONNXConstant.swift",
    "Sources/Export/PickleReader.swift",
    "Sources/Export/TorchFile.swift",
    "Sources/Export/ZipArchive.swift",
    "Sources/Train/Runs/Run/Checkpoint.swift",
    "Sources/Train/Runs/Run/RunRecord.swift",
]


def unsafe_uses(name):
    """Uses of the keyword `unsafe` outside comments and strings."""
    code = re.sub(r"//.*|\"(?:\\.|[^\"\\])*\"", "", text(name))
    return len(re.findall(r"\bunsafe\b", code))


@pytest.mark.parametrize("pattern", READERS)
def test_readers_are_free_of_unsafe_code(pattern):
    files = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(pattern))]
    assert files, f"{pattern} names no file any more: name the reader that took its place"
    assert not {name: unsafe_uses(name) for name in files if unsafe_uses(name)}


def test_unsafe_code_does_not_grow():
    count = sum(unsafe_uses(name) for name in FILES if re.match(r"Sources/.*\.swift$", name))
    recorded = int((ROOT / "Tests/house/unsafe-count").read_text())
    assert count <= recorded, (
        f"`unsafe` is now used {count} times in Sources, {recorded} were recorded. If the new ones "
        "are needed, write the new number into Tests/house/unsafe-count in a commit that says why."
    )


# --- Texts


def anchor(heading):
    """The anchor that a Markdown heading gets where the repository is shown."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda found: found[1] or "", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def anchors(path):
    return {
        anchor(line.lstrip("#"))
        for line in re.sub(r"```.*?```", "", path.read_text(), flags=re.S).splitlines()
        if re.match(r"#+ ", line)
    }


@pytest.mark.parametrize("name", MARKDOWN)
def test_links_lead_somewhere(name):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text(name), flags=re.S)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(
        r"(?:src|href)=\"([^\"]+)\"", prose
    )
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists():
            broken.append(target)
        elif fragment and file.suffix == ".md" and fragment not in anchors(file):
            broken.append(target)
    assert not broken


def test_every_document_is_reached_from_the_readme():
    documents = {name for name in MARKDOWN if name.startswith("Documentation/")}
    assert not {name for name in documents if f"]({name})" not in text("README.md")}


def shown_commands(name):
    """Command lines of ours in a text's shell blocks, continued lines joined."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text(name), re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            for start, word in enumerate(words):
                if pathlib.PurePath(word).name in COMMANDS:
                    rest = words[start + 1 :]
                    ends = [at for at, other in enumerate(rest) if other in ("|", "&&", ";", ">")]
                    yield pathlib.PurePath(word).name, rest[: ends[0] if ends else None]


def help_text(*command):
    folder = pathlib.Path(os.environ.get("BOLLYGAN_BIN", ROOT / ".build" / "release"))
    return subprocess.run(
        [folder / command[0], *command[1:], "--help"], capture_output=True, check=True, text=True
    ).stdout


@pytest.mark.parametrize("name", MARKDOWN)
def test_commands_are_shown_as_their_help_has_them(name):
    unknown = []
    for command, words in shown_commands(name):
        own = help_text(command)
        subcommands = re.findall(r"^  ([a-z][a-z-]+)(?: \(default\))?(?:\s{2,}|$)", own, re.M)
        default = re.findall(r"^  ([a-z][a-z-]+) \(default\)", own, re.M)
        if words and words[0] in subcommands:
            known = help_text(command, words[0])
        else:
            known = own + "".join(help_text(command, name) for name in default)
        for word in words:
            flag = re.match(r"--?[a-z][a-z0-9-]*", word)
            # As an option of its own, not as something that an example in the help mentions.
            if flag and not re.search(rf"^  (?:\S+[,/] ?)*{re.escape(flag[0])}(?![\w-])", known, re.M):
                unknown.append(f"{command} {' '.join(words)}: no {flag[0]}")
    assert not unknown, "\n".join(unknown)


def test_make_targets_shown_exist():
    targets = set(re.findall(r"^([a-z0-9-]+):", text("Makefile"), re.M))
    unknown = {
        f"{name}: make {target}"
        for name in MARKDOWN
        for target in re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", text(name), re.M)
        if target not in targets
    }
    assert not unknown


def test_exit_statuses_are_documented_as_they_are():
    source = text("Sources/Terminal/ExitStatus.swift")
    defined = {int(number) for number in re.findall(r"case \w+ = (\d+)", source)}
    documented = {
        int(number) for number in re.findall(r"^\| (\d+) \|", text("Documentation/Files.md"), re.M)
    }
    assert documented == defined


def test_changelog_knows_the_version():
    version = re.search(r"bollyganVersion = \"([^\"]+)\"", text("Sources/Model/Version.swift"))[1]
    changes = text("CHANGELOG.md")
    assert "## [Unreleased]" in changes or f"## [{version}]" in changes


def test_modules_know_whom_the_architecture_says():
    described = subprocess.run(
        ["swift", "package", "describe", "--type", "json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    targets = {target["name"]: target for target in json.loads(described)["targets"]}
    documented = {
        module: set(re.findall(r"`(\w+)`", known))
        for module, known in re.findall(
            r"^\| `(BollyGAN\w+)` \|((?: `BollyGAN\w+`)*) \|$", text("Documentation/Architecture.md"), re.M
        )
    }
    actual = {
        name: {known for known in targets[name].get("target_dependencies", []) if known in documented}
        for name in documented
    }
    assert documented == actual
    libraries = {
        name
        for name, target in targets.items()
        if name.startswith("BollyGAN") and not name.endswith("Shims")
    }
    assert set(documented) == libraries
