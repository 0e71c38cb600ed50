"""Both browsers draw the same bytes."""

import pytest
from firefox import Firefox
from test_explorer import READ_CANVASES, pixels_of, wall_pixels


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    firefox = Firefox(tmp_path_factory.mktemp("firefox"))
    yield firefox
    firefox.close()


@pytest.mark.parametrize("wall", ["torch:42", "numpy:1000"])
def test_firefox_and_chromium_draw_equal_bytes(visit, explorer, firefox, wall):
    fragment = f"#panel=wall&face=seed:0&wall={wall}"
    firefox.open(explorer.as_uri() + fragment)
    firefox.wait_for("html[data-state=ready]")
    firefox.wait_for("#wall[data-milliseconds]")
    pixels = pixels_of(firefox.evaluate(f"() => ({READ_CANVASES})('#wall canvas')"), 64)
    assert (pixels == wall_pixels(visit(explorer, fragment))).all()
