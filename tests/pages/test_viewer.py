"""The viewer of cutouts in a real browser, held against what Python computes of the same pixels."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from lensdetect.figures import lupton_rgb
from lensdetect.pages import asset, pack_cutout, unpack_cutout

SIDE = 61
#: Runs a body with `cutout`, unpacked, and gives what it returns.
_RUN = """
const [text, done] = [arguments[0], arguments[arguments.length - 1]];
const run = async (cutout) => { %s };
LensViewer.unpackText(text).then(run).then(done, (error) => done("error: " + error.message));
"""


@pytest.fixture
def viewer(browser, tmp_path):
    """Run JavaScript with a cutout in a page that has the viewer and nothing else."""
    page = tmp_path / "viewer.html"
    page.write_text(f"<!DOCTYPE html><meta charset='utf-8'><canvas></canvas><script>{asset('viewer.js')}</script>")
    browser.get(page.as_uri())

    def run(packed: bytes, body: str):
        return browser.execute_async_script(_RUN % body, base64.b64encode(packed).decode())

    return run


def galaxy(rng, *, bands: int = 4) -> np.ndarray:
    """A galaxy flattened to 0.7 at an angle of 30 degrees, in noise of sigma 1."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    along, across = x * np.cos(0.52) + y * np.sin(0.52), y * np.cos(0.52) - x * np.sin(0.52)
    radius = np.hypot(np.sqrt(0.7) * along, across / np.sqrt(0.7))
    light = 400.0 * np.exp(-((radius / 3.0) ** 0.8))
    return (light[..., None] * np.linspace(0.5, 1.5, bands) + rng.normal(size=(SIDE, SIDE, bands))).astype(np.float32)


@pytest.mark.parametrize("names", ["ugri", "gri", "gr", "r", "ug", ["VIS", "Y", "J", "H"]], ids="".join)
def test_the_default_picture_is_that_of_python(viewer, rng, names):
    cutout = galaxy(rng, bands=len(names))
    cutout[3:6, 8:20, 0] = np.nan
    packed = pack_cutout(cutout)
    found = viewer(packed, f"return Array.from(LensViewer.picture(cutout, {{names: {list(names)}}}).data);")
    picture = np.array(found, np.uint8).reshape(SIDE, SIDE, 4)[::-1]
    wanted = lupton_rgb(unpack_cutout(packed)[None], bands=list(names))[0]
    assert np.abs(picture[..., :3].astype(int) - wanted).max() <= 1
    assert (picture[..., 3] == 255).all()


def test_a_band_without_a_pixel_and_a_cutout_without_any_are_drawn(viewer, rng):
    cutout = galaxy(rng, bands=3)
    cutout[..., 1] = np.nan
    body = "const data = LensViewer.picture(cutout, {names: ['g', 'r', 'i']}).data; return [data[0], data[1], data[2]];"
    assert viewer(pack_cutout(cutout), body) != [64, 64, 64]
    assert viewer(pack_cutout(np.full_like(cutout, np.nan)), body) == [64, 64, 64]


def test_smooth_light_is_taken_out_and_an_arc_is_left(viewer, rng):
    cutout = galaxy(rng)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    arc = (np.abs(np.hypot(x, y) - 9) < 1.2) & (np.arctan2(y, x) > 0.3) & (np.arctan2(y, x) < 1.8)
    cutout[arc] += 25.0
    planes = viewer(
        pack_cutout(cutout), "return LensViewer.withoutDeflector(cutout).planes.map((plane) => Array.from(plane));"
    )
    left = np.moveaxis(np.array(planes).reshape(4, SIDE, SIDE), 0, -1)
    far = np.hypot(x, y)
    # of hundreds of sigma there is left what the pixels are too coarse for
    assert np.abs(left[(far > 2) & ~arc]).mean() < 1.5 and np.abs(cutout[far < 6]).mean() > 50
    assert left[arc].mean() == pytest.approx(25.0, abs=3.0)
    assert np.abs(left[far > 25]).mean() < 1.0


def test_north_is_up_and_east_is_left_whichever_way_the_pixels_lie(viewer, browser):
    cutout = np.zeros((41, 41, 1), np.float32)
    cutout[20, 30] = 100.0  # to the right in its pixels
    body = """
      const canvas = document.querySelector("canvas");
      canvas.width = canvas.height = 410;
      LensViewer.draw(canvas, cutout, {names: ["r"], axes: %s});
      const {data} = canvas.getContext("2d").getImageData(0, 0, 410, 410);
      let best = [0, 0, 0];
      for (let y = 0; y < 410; y++) for (let x = 0; x < 410; x++) {
        const light = data[4 * (410 * y + x)];
        if (light > best[0] && (x < 340 || y > 90)) best = [light, x, y];
      }
      return [Math.sign(Math.round((best[1] - 205) / 50)), Math.sign(Math.round((best[2] - 205) / 50))];
    """
    found = {axes: viewer(pack_cutout(cutout), body % axes) for axes in ("[-1,0,0,1]", "[1,0,0,1]", "[0,1,1,0]")}
    assert found == {"[-1,0,0,1]": [1, 0], "[1,0,0,1]": [-1, 0], "[0,1,1,0]": [0, -1]}
    assert viewer(pack_cutout(cutout), body % "[0,-1,1,0]") == [0, -1]


@pytest.mark.parametrize("stretch", ["asinh", "faint", "sqrt", "log", "linear"])
def test_every_stretch_shows_more_light_where_there_is_more(viewer, rng, stretch):
    body = f"""
      const light = LensViewer.picture(cutout, {{names: ["r"], bands: ["r"], stretch: "{stretch}"}}).data;
      const more = LensViewer.picture(cutout, {{names: ["r"], bands: ["r"], stretch: "{stretch}", contrast: 3}}).data;
      const at = (data, x, y) => data[4 * ({SIDE} * y + x)];
      return [at(light, 30, 30), at(light, 30, 24), at(light, 30, 1), at(more, 30, 24)];
    """
    middle, near, far, contrasted = viewer(pack_cutout(galaxy(rng, bands=1)), body)
    assert middle >= near > far and contrasted >= near


def test_damaged_bytes_are_an_error_and_no_picture(viewer, rng):
    packed = pack_cutout(galaxy(rng))
    assert viewer(b"junk" + packed[4:], "return 1;") == "error: this is no packed cutout"
    assert str(viewer(packed[:200], "return 1;")).startswith("error: ")


def test_a_cutout_is_drawn_within_a_frame(viewer, rng):
    cutout = np.tile(galaxy(rng), (2, 2, 1))[:101, :101]
    body = """
      const canvas = document.querySelector("canvas");
      canvas.width = canvas.height = 500;
      LensViewer.draw(canvas, cutout, {names: ["u", "g", "r", "i"]});
      const start = performance.now();
      for (let turn = 0; turn < 10; turn++) {
        LensViewer.draw(canvas, cutout, {names: ["u", "g", "r", "i"], contrast: 1 + turn / 10, pixelScale: 0.2});
      }
      return (performance.now() - start) / 10;
    """
    # 10 ms where this was written; a machine that is busy takes its time
    assert viewer(pack_cutout(cutout), body) < 100
