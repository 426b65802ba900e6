"""Pictures: what stands in them, read back from arrays, axes and files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from scipy.special import expit

from lensdetect.errors import InputError
from lensdetect.figures import learning_curves, lupton_rgb, mosaic, save_figure, truth_figure
from lensdetect.metrics import lens_metrics
from lensdetect.survey import SURVEYS

BANDS = SURVEYS["bologna"].band_names
NOISE = tuple(band.noise_sigma for band in SURVEYS["bologna"].bands)
MASKED = (64, 64, 64)


def sky(rng, count=1, *, size=41):
    """Blank cutouts with Bologna's noise."""
    return rng.normal(size=(count, size, size, len(BANDS))) * NOISE


def with_disc(cutouts, flux):
    """A disc of 5 pixels radius in the middle, one flux a band."""
    y, x = np.indices(cutouts.shape[1:3]) - cutouts.shape[1] // 2
    return cutouts + np.where((x**2 + y**2 < 25)[..., None], np.asarray(flux), 0.0)


def middle(pictures):
    """Mean colour of the disc, (n, 3)."""
    half = pictures.shape[1] // 2
    return pictures[:, half - 2 : half + 3, half - 2 : half + 3].mean(axis=(1, 2))


def corner(pictures):
    return pictures[:, :8, :8].mean(axis=(1, 2))


# --- composites


def test_picture_is_bytes_of_the_same_shape(rng):
    pictures = lupton_rgb(sky(rng, 3), bands=BANDS, noise_sigma=NOISE)
    assert pictures.dtype == np.uint8
    assert pictures.shape == (3, 41, 41, 3)
    assert lupton_rgb(np.empty((0, 9, 9, 4)), bands=BANDS).shape == (0, 9, 9, 3)


def test_blank_sky_is_dark_and_grey(rng):
    colour = corner(lupton_rgb(sky(rng), bands=BANDS, noise_sigma=NOISE))[0]
    assert np.all((5 < colour) & (colour < 50))
    assert np.ptp(colour) < 12


def test_red_is_red_and_blue_is_blue(rng):
    # Fluxes of g - r = 1.6, r - i = 0.6 (elliptical at z = 0.4) and of a flat spectrum.
    elliptical = middle(lupton_rgb(with_disc(sky(rng), [0, 1e-11, 4.4e-11, 7.6e-11]), bands=BANDS))[0]
    arc = middle(lupton_rgb(with_disc(sky(rng), [1e-11] * 4), bands=BANDS))[0]
    assert elliptical[0] > elliptical[1] > elliptical[2] + 40
    assert arc[2] > arc[1] > arc[0] + 20


def test_bright_centre_keeps_its_colour(rng):
    colours = [
        middle(lupton_rgb(with_disc(sky(rng), np.array([0, 1, 3, 4]) * flux), bands=BANDS, noise_sigma=NOISE))[0]
        for flux in (1e-11, 1e-10, 1e-8)
    ]
    for colour in colours:
        assert colour[0] > colour[2] + 40
    np.testing.assert_allclose(colours[1] / colours[1].max(), colours[2] / colours[2].max(), atol=0.06)


def test_faint_arc_shows_beside_a_galaxy_a_hundred_times_brighter(rng):
    cutout = with_disc(sky(rng), np.array(NOISE) * 300)
    cutout[0, 5:9, 10:30] += np.array(NOISE) * 4
    picture = lupton_rgb(cutout, bands=BANDS, noise_sigma=NOISE)
    assert picture[0, 5:9, 10:30].mean() > 2.5 * picture[0, 30:36, 10:30].mean()


def test_masked_pixels_and_blank_cutouts_are_dark_grey(rng):
    cutouts = sky(rng, 2)
    cutouts[0, 3:6, 3:6, BANDS.index("r")] = np.nan
    cutouts[0, 10, 10, BANDS.index("u")] = np.nan
    cutouts[1] = np.nan
    pictures = lupton_rgb(cutouts, bands=BANDS, noise_sigma=NOISE)
    assert np.all(pictures[0, 3:6, 3:6] == MASKED)
    assert tuple(pictures[0, 10, 10]) != MASKED, "u is not in the picture"
    assert np.all(pictures[1] == MASKED)


def test_missing_band_falls_back_in_that_cutout_alone(rng):
    cutouts = with_disc(sky(rng, 2), [1e-12, 1e-11, 4e-11, 8e-11])
    alone = lupton_rgb(cutouts[:1], bands=BANDS, noise_sigma=NOISE)
    cutouts[1, ..., BANDS.index("i")] = np.nan
    pictures = lupton_rgb(cutouts, bands=BANDS, noise_sigma=NOISE)
    np.testing.assert_array_equal(pictures[0], alone[0])
    red, green, blue = middle(pictures)[1]
    assert red > green > blue > 0


@pytest.mark.parametrize("bands", [("g", "r"), ("g", "r", "z"), ("u", "g", "r"), ("Y", "J", "H"), ("u", "g")])
def test_other_bands_make_a_red_galaxy_red(rng, bands):
    flux = np.geomspace(1, 30, len(bands))
    cutout = rng.normal(size=(1, 41, 41, len(bands)))
    red, _, blue = middle(lupton_rgb(with_disc(cutout, 5 * flux), bands=bands))[0]
    assert red > blue + 40


def test_one_band_is_grey(rng):
    pictures = lupton_rgb(with_disc(sky(rng), [0, 0, 5e-11, 0])[..., 2:3], bands=["r"])
    assert np.all(pictures == pictures[..., :1])
    assert middle(pictures).min() > 200


def test_noise_is_estimated_where_it_is_not_given(rng):
    cutouts = with_disc(sky(rng), [1e-11] * 4)
    given, estimated = (lupton_rgb(cutouts, bands=BANDS, noise_sigma=noise) for noise in (NOISE, None))
    assert np.abs(given.astype(int) - estimated).mean() < 3
    constant = lupton_rgb(np.zeros((1, 9, 9, 4)), bands=BANDS)
    assert constant.max() < 60, "no noise at all is no division by zero"


def test_genuine_lens_has_a_blue_ring_around_an_orange_centre(shared_data):
    from astropy.io import fits

    folder = shared_data / "bologna_ground" / "Public"
    planes = [
        fits.getdata(folder / f"Band{n}" / f"imageSDSS_{b}-100026.fits") for n, b in ((3, "G"), (1, "R"), (2, "I"))
    ]
    picture = lupton_rgb(np.stack(planes, axis=-1)[None], bands=("g", "r", "i"), noise_sigma=NOISE[1:])[0].astype(float)
    y, x = np.indices(picture.shape[:2]) - 50
    radius = np.hypot(x, y)
    centre, ring, field = (picture[chosen].mean(axis=0) for chosen in (radius < 3, abs(radius - 11) < 2, radius > 35))
    assert centre[0] > centre[2] + 40
    assert ring[2] > ring[0] + 10
    assert ring.mean() > 2.5 * field.mean()


@pytest.mark.parametrize(
    ("shape", "noise_sigma", "message"),
    [
        ((9, 9, 4), None, r"must be \(n, height, width, 4\) for bands u, g, r, i, got \(9, 9, 4\)"),
        ((1, 9, 9, 3), None, r"for bands u, g, r, i, got \(1, 9, 9, 3\)"),
        ((1, 9, 9, 4), [1.0, 1.0], r"noise_sigma must be 4 positive numbers, one a band, got \[1.0, 1.0\]"),
        ((1, 9, 9, 4), [1.0, 1.0, 0.0, 1.0], r"noise_sigma must be 4 positive numbers"),
    ],
)
def test_unusable_cutouts(shape, noise_sigma, message):
    with pytest.raises(InputError, match=message):
        lupton_rgb(np.zeros(shape), bands=BANDS, noise_sigma=noise_sigma)


# --- mosaics


def test_mosaic_shows_each_cutout_under_its_label(rng):
    cutouts, labels = sky(rng, 7), [f"id_{number} p = 0.{number}" for number in range(7)]
    figure = mosaic(cutouts, labels, bands=BANDS, noise_sigma=NOISE, title="best", pixel_scale_arcsec=0.2)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == labels
    np.testing.assert_array_equal(
        np.stack([axes.images[0].get_array() for axes in shown]), lupton_rgb(cutouts, bands=BANDS, noise_sigma=NOISE)
    )
    assert len(figure.axes) == 10 and figure.get_suptitle() == "best"


def test_scale_bar_is_as_long_as_it_says(rng):
    figure = mosaic(sky(rng, size=101), ["a"], bands=BANDS, pixel_scale_arcsec=0.2)
    axes = figure.axes[0]
    assert axes.texts[0].get_text() == '5"'
    assert np.ptp(axes.lines[0].get_xdata()) == pytest.approx(25)
    assert not mosaic(sky(rng), ["a"], bands=BANDS).axes[0].lines


def test_truth_frames_differ_in_more_than_colour(rng, tmp_path):
    figure = mosaic(sky(rng, 2), ["a", "b"], bands=BANDS, is_lens=[True, False])
    lens, other = (axes.spines["left"] for axes in figure.axes)
    assert lens.get_edgecolor() != other.get_edgecolor()
    assert lens.get_linestyle() != other.get_linestyle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a lens in truth", "no lens in truth"]
    save_figure(figure, tmp_path / "framed.png")


def test_labels_are_taken_as_they_are(rng, tmp_path):
    save_figure(mosaic(sky(rng), [r"100$\bad$"], bands=BANDS), tmp_path / "dollars.png")


@pytest.mark.parametrize(
    ("count", "keywords", "message"),
    [
        (0, {"labels": []}, "needs at least one cutout, got none"),
        (2, {"labels": ["a"]}, "labels must be one for each of the 2 cutouts, got 1"),
        (2, {"labels": ["a", "b"], "is_lens": [True]}, "is_lens must be one for each of the 2 cutouts, got 1"),
    ],
)
def test_unusable_mosaic(rng, count, keywords, message):
    with pytest.raises(InputError, match=message):
        mosaic(sky(rng, count), bands=BANDS, **keywords)


# --- truth


def make_truth(rng, num_lenses=200, num_others=300):
    is_lens = np.repeat([True, False], [num_lenses, num_others])
    return is_lens, 2 * rng.normal(size=len(is_lens)) + 4 * is_lens - 2


def test_truth_figure_shows_what_the_metrics_say(rng, tmp_path):
    is_lens, logit = make_truth(rng)
    metrics = lens_metrics(is_lens, logit)
    figure = truth_figure(is_lens, logit, probability=expit(logit), metrics=metrics)
    roc, scores, confusion, _ = figure.axes
    labels = " ".join(text.get_text() for text in roc.get_legend().get_texts())
    for name in ("auroc", "tpr0", "tpr10"):
        assert f"{name.upper()} {getattr(metrics, name):.3f} [" in labels
    assert roc.get_xscale() == "log" and roc.get_xlim()[0] > 0
    curve = roc.lines[0].get_xydata()
    assert np.all(np.diff(curve, axis=0) >= 0) and tuple(curve[-1]) == (1, 1)
    assert scores.get_yscale() == "log"
    counts = [text.get_text().split("\n")[0] for text in confusion.texts]
    assert counts == [
        str(count)
        for count in (
            metrics.true_positives,
            metrics.false_negatives,
            metrics.false_positives,
            metrics.true_negatives,
        )
    ]
    save_figure(figure, tmp_path / "truth.png")


@pytest.mark.parametrize(("num_lenses", "num_others"), [(3, 0), (0, 3), (1, 1)])
def test_truth_figure_of_very_little(rng, tmp_path, num_lenses, num_others):
    is_lens, logit = make_truth(rng, num_lenses, num_others)
    metrics = lens_metrics(is_lens, logit)
    figure = truth_figure(is_lens, logit, probability=expit(logit), metrics=metrics)
    says_so = any("one class is missing" in text.get_text() for text in figure.axes[0].texts)
    assert says_so == (num_lenses == 0 or num_others == 0)
    save_figure(figure, tmp_path / "truth.png")


# --- learning curves


def make_history(num_epochs=6):
    epoch = np.arange(1, num_epochs + 1)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "loss": 1 / epoch,
            "val_loss": 1 / epoch + 0.05 * (epoch > 4),
            "val_tpr10": np.where(epoch == 3, np.nan, epoch / 10),
            "learning_rate": 1e-3 / epoch,
            "seconds": 60.0,
        }
    )


def test_learning_curves_draw_a_learning_rate_of_zero(tmp_path):
    history = pd.DataFrame({"epoch": [1], "loss": [0.5], "val_loss": [0.6], "learning_rate": [0.0]})
    save_figure(learning_curves(history), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_learning_curves_have_a_panel_for_each_validated_figure(tmp_path):
    figure = learning_curves(make_history(), title="arcformer_small")
    titles = [axes.get_title() for axes in figure.axes if axes.has_data()]
    assert titles == ["loss", "tpr10", "learning rate"]
    legends = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes[:2]]
    assert legends[0] == ["training", "validation", "best 0.2167, epoch 6"]
    assert legends[1] == ["validation", "best 0.6, epoch 6"]
    save_figure(figure, tmp_path / "curves.png")


@pytest.mark.parametrize("columns", [["epoch", "loss"], ["epoch", "loss", "val_loss", "learning_rate"]])
def test_one_epoch_shows(tmp_path, columns):
    figure = learning_curves(make_history(1)[columns])
    assert figure.axes[0].lines[0].get_marker() != "None"
    save_figure(figure, tmp_path / "curves.png")


def test_best_epoch_of_all_nan_is_not_marked():
    history = make_history().assign(val_loss=np.nan)
    labels = [text.get_text() for text in learning_curves(history).axes[0].get_legend().get_texts()]
    assert labels == ["training", "validation"]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (make_history().iloc[:0], "at least one row, got 0 rows"),
        (make_history()[["epoch", "val_loss"]], "columns epoch and loss .* got 6 rows of epoch, val_loss"),
        (pd.DataFrame(), "got 0 rows of nothing: train for an epoch first"),
    ],
)
def test_unusable_history(history, message):
    with pytest.raises(InputError, match=message):
        learning_curves(history)


# --- files


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "a.svg", "A.PNG"])
def test_extension_chooses_the_format(rng, tmp_path, name):
    save_figure(mosaic(sky(rng), ["a"], bands=BANDS), tmp_path / name)
    start = (tmp_path / name).read_bytes()[:5]
    assert start in {b"\x89PNG\r", b"%PDF-", b"<?xml"}
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_resolution_is_as_asked(rng, tmp_path):
    figure = mosaic(sky(rng), ["a"], bands=BANDS)
    save_figure(figure, str(tmp_path / "a.png"), dpi=50)
    width_inch, height_inch = figure.get_size_inches()
    assert imread(tmp_path / "a.png").shape[:2] == (int(height_inch * 50), int(width_inch * 50))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.fits", r"must end in one of .*pdf, .*png.*, got a.fits: try .png"),
        ("a", r"must end in one of .*, got a: try .png"),
        ("absent/a.png", r"existing folder that can be written to, got .*absent/a.png \(No such file"),
    ],
)
def test_unwritable_figure_leaves_nothing(rng, tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        save_figure(mosaic(sky(rng), ["a"], bands=BANDS), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_no_pyplot_state(rng):
    import sys

    mosaic(sky(rng), ["a"], bands=BANDS)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
