"""How near simulated stamps of the challenge come to the genuine ones, quantile by quantile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import maximum_filter, uniform_filter

from lensdetect.errors import InputError
from lensdetect.images.background import sky_sigma
from lensdetect.stamps import Shards

#: What is compared: column of truth, name for people, of lenses alone or of all, relative and absolute tolerance.
_MEASURES = (
    ("einstein_radius_arcsec", "Einstein radius (arcsec)", False, 0.10, 0.0),
    ("arc_pixel_count", "arc pixels above 1 sigma", True, 0.15, 1.0),
    ("arc_flux_sigma", "flux in them (sigma)", True, 0.15, 1.0),
)
_DECILES = np.round(np.arange(0.1, 0.95, 0.1), 1)

#: Einstein radii, in arcsec, between which lenses are compared among themselves.
RADIUS_EDGES_ARCSEC = (0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5)

#: Stamps whose sky is measured; sigma is known to a thousandth from these.
_SKY_STAMPS = 200


@dataclass(frozen=True)
class LikenessRow:
    """One number of the simulation beside the genuine one.

    Parameters
    ----------
    measure : str
        What is compared.
    where : str
        Quantile, range of Einstein radii, or band.
    simulated, genuine : float
        The two.
    tolerance : float
        By how much they may differ; NaN where the row is for information.
    """

    measure: str
    where: str
    simulated: float
    genuine: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether they are near enough; always, where nothing is asked for."""
        return bool(np.isnan(self.tolerance) or abs(self.simulated - self.genuine) <= self.tolerance)


@dataclass(frozen=True)
class Likeness:
    """Simulated stamps against genuine ones.

    Parameters
    ----------
    rows : tuple of LikenessRow
    simulated, genuine : DataFrame
        The truth that was compared.
    """

    rows: tuple[LikenessRow, ...]
    simulated: pd.DataFrame
    genuine: pd.DataFrame

    @property
    def ok(self) -> bool:
        """Whether every row is near enough."""
        return all(row.ok for row in self.rows)

    def text(self) -> str:
        """An aligned table, a row a line; what is too far off is marked."""
        lenses = int(self.simulated["is_lens"].sum())
        lines = [
            f"{len(self.simulated):,} simulated stamps ({lenses:,} lenses) against {len(self.genuine):,} genuine ones "
            f"({int(self.genuine['is_lens'].sum()):,})",
            f"{'':<26}  {'':<12}  {'simulated':>10}  {'genuine':>10}  {'may differ':>10}",
        ]
        for row in self.rows:
            tolerance = "" if np.isnan(row.tolerance) else _figure(row.tolerance)
            mark = "" if row.ok else "  too far"
            lines.append(
                f"{row.measure:<26}  {row.where:<12}  {_figure(row.simulated):>10}  {_figure(row.genuine):>10}  "
                f"{tolerance:>10}{mark}"
            )
        failed = sum(not row.ok for row in self.rows)
        lines.append("all within tolerance" if self.ok else f"{failed} of {len(self.rows)} rows too far off")
        return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def compare_with_genuine(
    stamps: Shards, genuine: pd.DataFrame, *, genuine_pixels: np.ndarray | None = None
) -> Likeness:
    """Compare a set of simulated stamps with the genuine challenge.

    Deciles scatter in small sets: with fewer than some 5,000 stamps rows may
    be too far off by chance.

    Parameters
    ----------
    stamps : Shards
        Simulated stamps of survey bologna.
    genuine : DataFrame
        Truth of genuine stamps: ``is_lens``, ``einstein_radius_arcsec``,
        ``arc_pixel_count``, ``arc_flux_sigma``.
    genuine_pixels : ndarray, optional
        ``(n, height, width, band)`` of some genuine stamps, NaN where masked:
        with them the sky is compared too.

    Returns
    -------
    Likeness

    Raises
    ------
    InputError
        If a column is missing, or one side has no lens.
    """
    truth = stamps.truth
    for name, table in (("the simulated truth", truth), ("the genuine truth", genuine)):
        missing = [column for column, *_ in _MEASURES if column not in table]
        if missing:
            raise InputError(
                f"{name} must have the columns {', '.join(missing)}, got {', '.join(table.columns)}: "
                "give the challenge's classifications.csv"
            )
        if not table["is_lens"].any():
            raise InputError(f"{name} must have lenses to be compared, got none among {len(table)} stamps")
    rows = [*_quantile_rows(truth, genuine), *_share_rows(truth, genuine), *_radius_rows(truth, genuine)]
    if genuine_pixels is not None:
        rows += _sky_rows(stamps, genuine_pixels)
    return Likeness(tuple(rows), truth, genuine)


def _quantile_rows(simulated: pd.DataFrame, genuine: pd.DataFrame) -> Iterator[LikenessRow]:
    for column, title, lenses_only, relative, absolute in _MEASURES:
        sides = [(side[side["is_lens"]] if lenses_only else side)[column] for side in (simulated, genuine)]
        for decile, ours, theirs in zip(_DECILES, *(side.quantile(_DECILES) for side in sides), strict=True):
            tolerance = max(relative * theirs, absolute)
            yield LikenessRow(title, f"{100 * decile:.0f} %", float(ours), float(theirs), tolerance)


def _share_rows(simulated: pd.DataFrame, genuine: pd.DataFrame) -> Iterator[LikenessRow]:
    shares = [float((side["arc_pixel_count"][side["is_lens"]] == 0).mean()) for side in (simulated, genuine)]
    yield LikenessRow("lenses with no such pixel", "", *shares, 0.015)
    yield LikenessRow("lenses", "", float(simulated["is_lens"].mean()), float(genuine["is_lens"].mean()), np.nan)


def _radius_rows(simulated: pd.DataFrame, genuine: pd.DataFrame) -> Iterator[LikenessRow]:
    """Medians in ranges of Einstein radius, for information: each has few lenses."""
    for column, title, *_ in _MEASURES[1:]:
        for low, high in zip(RADIUS_EDGES_ARCSEC[:-1], RADIUS_EDGES_ARCSEC[1:], strict=True):
            medians = []
            for side in (simulated, genuine):
                radius = side["einstein_radius_arcsec"]
                medians.append(float(side[column][side["is_lens"] & (radius >= low) & (radius < high)].median()))
            if np.isfinite(medians).all():
                yield LikenessRow(title, f'{low:g}-{high:g}"', *medians, np.nan)


def _sky_rows(stamps: Shards, genuine_pixels: np.ndarray) -> Iterator[LikenessRow]:
    """Sky of each band; the median over stamps passes over the few that are like real survey stamps."""
    rows = np.linspace(0, len(stamps) - 1, min(len(stamps), _SKY_STAMPS)).astype(int)
    ours = _typical_sky(stamps.read(rows))
    theirs = _typical_sky(genuine_pixels)
    for number, band in enumerate(stamps.manifest["bands"]):
        yield LikenessRow("sky sigma", band, ours[0, number], theirs[0, number], 0.03 * theirs[0, number])
    for number, band in enumerate(stamps.manifest["bands"]):
        yield LikenessRow("correlation of neighbours", band, ours[1, number], theirs[1, number], 0.03)


def _typical_sky(pixels: np.ndarray) -> np.ndarray:
    """Median over stamps of sigma and neighbour correlation, ``(2, band)``."""
    bands = range(pixels.shape[-1])
    found = [[_sky_of(stamp[..., band]) for band in bands] for stamp in pixels]
    return np.nanmedian(np.array(found), axis=0).T


def _sky_of(plane: np.ndarray) -> tuple[float, float]:
    """Sigma of the sky of one image, and correlation of neighbours in a row, away from objects."""
    sigma = sky_sigma(plane)
    if not sigma > 0:
        return np.nan, np.nan
    seen = np.isfinite(plane)
    capped = np.where(seen, np.minimum(plane, 5.0 * sigma), 5.0 * sigma)
    dark = seen & (maximum_filter(uniform_filter(capped, 5), 7) < 0.6 * sigma)
    both = dark[:, 1:] & dark[:, :-1]
    if both.sum() < 500:
        return sigma, np.nan
    left, right = plane[:, :-1][both], plane[:, 1:][both]
    return sigma, float(np.corrcoef(left, right)[0, 1])
