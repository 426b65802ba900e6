"""Many cutouts on one page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lensdetect.errors import InputError
from lensdetect.figures.composite import lupton_rgb
from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR

_PANEL_INCH = 1.9
_LABEL_INCH = 0.2
_LENS_FRAME = {"edgecolor": LENS_COLOUR, "linewidth": 3, "linestyle": "solid"}
_OTHER_FRAME = {"edgecolor": OTHER_COLOUR, "linewidth": 3, "linestyle": (0, (1.5, 1.5))}
# Lengths that a scale bar may have, in arcsec; the longest within a third of a panel is drawn.
_BAR_ARCSEC = (60.0, 30.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)


def mosaic(
    cutouts,
    labels: Sequence[str],
    *,
    bands: Sequence[str],
    noise_sigma: Sequence[float] | None = None,
    is_lens: Sequence[bool] | None = None,
    pixel_scale_arcsec: float | None = None,
    columns: int = 5,
    title: str | None = None,
) -> Figure:
    """Colour pictures in rows, each under its label.

    Parameters
    ----------
    cutouts : array_like
        ``(n, height, width, band)`` as ``lupton_rgb`` takes them; at least one.
    labels : sequence of str
        One for each cutout.
    bands : sequence of str
        Names along the last axis, from blue to red.
    noise_sigma : sequence of float, optional
        Of the sky in each band; estimated from each cutout if not given.
    is_lens : sequence of bool, optional
        Truth: frames lenses with a solid and others with a dotted line.
    pixel_scale_arcsec : float, optional
        If given, a scale bar stands in the first picture.
    columns : int
        Pictures in a row.
    title : str, optional
        Over the page.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no cutout, or as many labels or truths as cutouts are not given.
    """
    pictures = lupton_rgb(cutouts, bands=bands, noise_sigma=noise_sigma)
    for name, values in (("labels", labels), ("is_lens", is_lens)):
        if values is not None and len(values) != len(pictures):
            raise InputError(f"{name} must be one for each of the {len(pictures)} cutouts, got {len(values)}")
    if len(pictures) == 0:
        raise InputError("a mosaic needs at least one cutout, got none: check what was selected")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(columns * _PANEL_INCH, rows * (_PANEL_INCH + _LABEL_INCH) + 0.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(pictures) :]:
        axes.set_axis_off()
    for place, (axes, picture, label) in enumerate(zip(panels, pictures, labels, strict=False)):
        _draw_picture(axes, picture, str(label))
        if is_lens is not None:
            _frame(axes, bool(is_lens[place]))
    if pixel_scale_arcsec is not None:
        _draw_scale_bar(panels[0], pictures.shape[2], pixel_scale_arcsec)
    if is_lens is not None:
        figure.legend(handles=_frame_legend(), loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    if title is not None:
        figure.suptitle(title, fontsize=10)
    return figure


def _draw_picture(axes: Axes, picture: np.ndarray, label: str) -> None:
    # Row 0 at the bottom, as FITS images are looked at.
    axes.imshow(picture, origin="lower", interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(label, fontsize=8, pad=3, parse_math=False)


def _frame(axes: Axes, is_lens: bool) -> None:
    # The default cap of a spine would close the gaps between the dots.
    axes.spines[:].set(**(_LENS_FRAME if is_lens else _OTHER_FRAME), capstyle="butt")


def _frame_legend() -> list[Patch]:
    return [
        Patch(fill=False, **_LENS_FRAME, label="a lens in truth"),
        Patch(fill=False, **_OTHER_FRAME, label="no lens in truth"),
    ]


def _draw_scale_bar(axes: Axes, width_pix: int, pixel_scale_arcsec: float) -> None:
    width_arcsec = width_pix * pixel_scale_arcsec
    length_arcsec = next((length for length in _BAR_ARCSEC if length <= width_arcsec / 3), width_arcsec / 3)
    start, end = 0.06 * width_pix, 0.06 * width_pix + length_arcsec / pixel_scale_arcsec
    height = 0.06 * width_pix
    axes.plot([start, end], [height, height], color="white", linewidth=2, solid_capstyle="butt")
    axes.text(start, height * 1.5, f'{length_arcsec:g}"', color="white", fontsize=8, va="bottom")
