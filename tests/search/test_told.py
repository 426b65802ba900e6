"""Files that a search cannot use are told everywhere."""

from __future__ import annotations

import shutil

import pandas as pd


def test_files_that_cannot_be_placed_are_told_and_those_of_no_use_counted(sky, search):
    odd = sky.folder / "product_0.fits"
    sky.path(2, "r").rename(odd)
    for name in ("field_model_r.fits", "field_psf_g.fits"):
        shutil.copy(sky.path(0, "r"), sky.folder / name)
    found = search(report=True)
    rows = pd.read_csv(found.folder / "tiles.csv", keep_default_na=False).set_index("tile")
    reason = "not used: nothing tells the bands of its 1 images among u, g, r, i"
    assert rows["problem"][str(odd)] == reason
    assert rows["problem"][sky.name(2)] == "it has no image in r, which counts as masked"
    text, page = found.text(), (found.folder / "report.html").read_text()
    assert not found.ok
    assert f"file {odd}: {reason}" in text and reason in page
    for line in ("files that could not be used: 1", "tiles with a problem: 1", "images left aside: 2: "):
        assert line in text
    assert "model: no image of the sky (1)" in text and "psf: no image of the sky (1)" in page
