"""Make one tile: its images row after row, its catalogue, and its truth last."""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import numpy as np

from lensdetect.runs import write_whole
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.tiles.catalogue import build_catalogue, is_listed, write_catalogue
from lensdetect.simulation.tiles.glitches import draw_tile_glitches, paint
from lensdetect.simulation.tiles.images import KINDS, TileImages, image_header
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.light import TileLight
from lensdetect.simulation.tiles.noise import CHUNK_ROWS, add_noise, stream_sky
from lensdetect.simulation.tiles.photometry import arcs_of, measure
from lensdetect.simulation.tiles.plan import TilePlan
from lensdetect.simulation.tiles.regions import cover, draw_regions, spoil
from lensdetect.simulation.tiles.sky import SkyObject, objects_near
from lensdetect.simulation.tiles.stars import bright_stars, saturate, saturation_levels
from lensdetect.simulation.tiles.truth import Faults, glitch_table, truth_table

#: Rows rendered at once: whole chunks of noise.
_BLOCK_ROWS = 4 * CHUNK_ROWS

#: How far beyond a tile's edge there is light.
_MARGIN_PIX = 200

_EMPTY = Scene("tile", math.nan, masses=(), shear=(0.0, 0.0), light=(), real_like=True)


@dataclasses.dataclass(frozen=True, eq=False)
class _Pointing:
    """A tile with everything that is drawn for it."""

    plan: TilePlan
    tile: Tile
    conditions: Conditions
    objects: list[SkyObject]
    x_pix: np.ndarray
    y_pix: np.ndarray
    light: TileLight
    faults: Faults

    @property
    def noise_sigma(self) -> np.ndarray:
        return np.asarray(self.conditions.noise_sigma)

    @property
    def corrections_mag(self) -> dict[str, float]:
        """What is to be added to magnitudes of each band's image."""
        gain = self.conditions.gain or (1.0,) * len(self.plan.survey.bands)
        return {name: 2.5 * math.log10(one) for name, one in zip(self.plan.survey.band_names, gain, strict=True)}


def make_tile(plan: TilePlan, number: int) -> int:
    """Make and write one tile.

    Parameters
    ----------
    plan : TilePlan
    number : int

    Returns
    -------
    int
        1.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    tile = plan.all_tiles[number]
    pointing = _draw(plan, tile)
    for path in (plan.truth_path(tile), plan.glitches_path(tile)):
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)  # old truth beside new pixels would pass for a complete tile
    mask, share = _write_images(pointing)
    truth = _write_catalogue(pointing, mask=mask, share=share)
    glitches = glitch_table(pointing.faults, plan.survey)
    write_whole(plan.glitches_path(tile), lambda file: glitches.to_parquet(file, index=False))
    write_whole(plan.truth_path(tile), lambda file: truth.to_parquet(file, index=False))
    return 1


def _draw(plan: TilePlan, tile: Tile) -> _Pointing:
    survey = plan.survey
    conditions = plan.population.draw_conditions(_EMPTY, survey, size=None, rng=plan.rng("conditions", tile.number))
    objects = objects_near(plan, tile, margin_pix=_MARGIN_PIX)
    x, y = tile.pixels(np.array([thing.ra_deg for thing in objects]), np.array([thing.dec_deg for thing in objects]))
    scenes = [thing.scene for thing in objects]
    rng = plan.rng("defects", tile.number)
    regions = draw_regions(plan.rates, tile, bands=len(survey.bands), rng=rng)
    glitches = draw_tile_glitches(plan.rates, tile, survey=survey, rng=rng)
    stars = bright_stars(scenes, x_pix=x, y_pix=y, survey=survey, noise_sigma=np.asarray(conditions.noise_sigma))
    light = TileLight(scenes, x_pix=x, y_pix=y, survey=survey, conditions=conditions)
    return _Pointing(plan, tile, conditions, objects, x, y, light, Faults(regions, glitches, *stars))


def _write_images(pointing: _Pointing) -> tuple[np.ndarray, np.ndarray]:
    """Write all images; what the mask and the share of exposures are where objects are, ``(n, band)`` each."""
    plan, tile, bands = pointing.plan, pointing.tile, pointing.plan.survey.band_names
    paths = {(band, kind): plan.image_path(tile, band, kind=kind) for band in bands for kind in KINDS}
    headers = {
        path: (kind, image_header(
            tile, plan.survey, band=band, kind=kind, conditions=pointing.conditions,
            correction_mag=pointing.corrections_mag[band],
        ))
        for (band, kind), path in paths.items()
    }  # fmt: skip
    mask_at = np.zeros((len(pointing.objects), len(bands)), np.uint8)
    share_at = np.zeros((len(pointing.objects), len(bands)), np.float32)
    column, row = np.rint(pointing.x_pix).astype(int), np.rint(pointing.y_pix).astype(int)
    sky = stream_sky(tile.width, pointing.conditions, rng_of=partial(plan.rng, "sky", tile.number))
    with TileImages(headers) as files:
        for first in range(0, tile.height, _BLOCK_ROWS):
            rows = slice(first, min(first + _BLOCK_ROWS, tile.height))
            pixels, mask, share = _render(pointing, rows, sky)
            here = (row >= rows.start) & (row < rows.stop) & (column >= 0) & (column < tile.width)
            mask_at[here] = mask[row[here] - first, column[here]]
            share_at[here] = share[row[here] - first, column[here]]
            share /= (pointing.noise_sigma**2).astype(np.float32)
            for number, band in enumerate(bands):
                for kind, planes in zip(KINDS, (pixels, share, mask), strict=True):
                    files.append(paths[band, kind], planes[..., number])
        files.finish()
    return mask_at, share_at


def _render(pointing: _Pointing, rows: slice, sky) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels, mask and share of the exposures of some rows, ``(rows, width, band)`` each."""
    plan, tile, faults = pointing.plan, pointing.tile, pointing.faults
    pixels = pointing.light.render(tile, rows=rows)
    _paint(pointing, pixels, before_sky=True, first_row=rows.start)
    share = cover(faults.regions, pixels.shape, first_row=rows.start)
    add_noise(
        pixels, sky, share=share, conditions=pointing.conditions,
        rng_of=lambda row: plan.rng("photons", tile.number, rows.start + row),
    )  # fmt: skip
    _paint(pointing, pixels, before_sky=False, first_row=rows.start)
    mask = np.zeros(pixels.shape, np.uint8)
    saturate(faults.stars, pixels, mask=mask, levels=saturation_levels(plan.survey), first_row=rows.start)
    spoil(faults.regions, pixels, mask=mask, noise_sigma=pointing.noise_sigma, first_row=rows.start)
    return pixels, mask, share


def _paint(pointing: _Pointing, pixels: np.ndarray, *, before_sky: bool, first_row: int) -> None:
    for number, placed in enumerate((*pointing.faults.glitches, *pointing.faults.halos)):
        if placed.glitch.before_sky == before_sky:
            rng = pointing.plan.rng("glitches", pointing.tile.number, number)
            paint(
                placed, pixels, first_row=first_row, tile=pointing.tile, survey=pointing.plan.survey,
                noise_sigma=pointing.noise_sigma, rng=rng,
            )  # fmt: skip


def _write_catalogue(pointing: _Pointing, *, mask: np.ndarray, share: np.ndarray):
    """Write the catalogue; the truth of what it lists, and of targets that it does not list."""
    plan, tile, survey = pointing.plan, pointing.tile, pointing.plan.named_survey
    scenes = [thing.scene for thing in pointing.objects]
    arc_fluxes, arcs = np.zeros(mask.shape), {}
    for number in (number for number, scene in enumerate(scenes) if scene.has_source):
        flux, *arcs[number] = arcs_of(
            scenes[number], survey, population=plan.population, conditions=pointing.conditions
        )
        arc_fluxes[number] = flux
    measured = measure(
        scenes, x_pix=pointing.x_pix, y_pix=pointing.y_pix, arc_fluxes=arc_fluxes, share=share, survey=survey,
        conditions=pointing.conditions, rng=plan.rng("catalogue", tile.number),
    )  # fmt: skip
    listed = is_listed(measured, tile=tile, share=share, survey=survey)
    chosen = measured.only(listed)
    is_star = np.array([not scene.light for scene in scenes], bool)[listed]
    table = build_catalogue(chosen, is_star=is_star, mask=mask[listed], share=share[listed], tile=tile, survey=survey)
    write_catalogue(plan.catalogue_path(tile), table, corrections_mag=pointing.corrections_mag, tile=tile)
    ids = np.full(len(scenes), "", object)
    ids[listed] = table[survey.catalogue.id]
    return _truth(pointing, ids, arcs)


def _truth(pointing: _Pointing, ids: np.ndarray, arcs: dict):
    tile = pointing.tile
    inside = (np.abs(pointing.x_pix - 0.5 * (tile.width - 1)) < 0.5 * tile.width) & (
        np.abs(pointing.y_pix - 0.5 * (tile.height - 1)) < 0.5 * tile.height
    )
    is_target = np.array([thing.family == "target" for thing in pointing.objects], bool)
    kept = np.flatnonzero((ids != "") | (inside & is_target))
    place = {int(old): new for new, old in enumerate(kept)}
    return truth_table(
        [pointing.objects[number] for number in kept],
        ids=list(ids[kept]),
        x_pix=pointing.x_pix[kept],
        y_pix=pointing.y_pix[kept],
        arcs={place[old]: tuple(value) for old, value in arcs.items() if old in place},
        faults=pointing.faults,
        tile=tile,
        survey=pointing.plan.survey,
        seed=pointing.plan.seed,
    )
