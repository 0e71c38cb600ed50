"""Pillow and torchvision still give the tables that the image tests compare with.

python Tests/torch/test_pictures.py        (or pytest; needs torch, torchvision, Pillow)
"""

import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parent.parent / "PicturesTests" / "Fixtures"
sys.path.insert(0, str(FIXTURES))

import make_geometry  # noqa: E402
import make_pictures  # noqa: E402


def test_resize_crop_and_grid_equal_torchvisions():
    assert (FIXTURES / "geometry.csv").read_text() == make_geometry.table()


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
def test_pillow_reads_every_fixture_as_recorded():
    lines = (FIXTURES / "pictures.csv").read_text().splitlines()[1:]
    read = 0
    for line in lines:
        name, _, _, _, expected, _ = line.split(",")
        if expected == "-":
            continue
        found = make_pictures.pillow((FIXTURES / "files" / name).read_bytes())
        assert ("?" if found is None else make_pictures.crc(found)) == expected, name
        read += 1
    assert read > 120


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
