"""Images of real galaxies as light."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.scene import ImageLight


class PictureProfile:
    """See ``Profile``; between the middles of its pixels an image is interpolated linearly in x and y."""

    cusp_points = ()

    def __init__(self, light: ImageLight):
        """Work out what does not depend on position."""
        self.x_arcsec, self.y_arcsec = light.x_arcsec, light.y_arcsec
        self.sampling_arcsec = self.smooth_arcsec = 1.5 * light.pixel_arcsec  # images are sharp over two pixels
        self._light = light
        # two rims of zeros: light fades out beyond the last pixels' middles, and every neighbour exists
        self._image = np.pad(np.asarray(light.image, np.float32) / light.pixel_arcsec**2, 2)

    def brightness(self, x_arcsec: np.ndarray, y_arcsec: np.ndarray) -> np.ndarray:
        """Flux per square arcsec at offsets from the centre; see ``Profile``."""
        height, width = self._image.shape
        cosine = math.cos(self._light.angle_rad) / self._light.pixel_arcsec
        sine = math.sin(self._light.angle_rad) / self._light.pixel_arcsec
        column = x_arcsec * cosine + y_arcsec * sine + 0.5 * (width - 1)
        row = y_arcsec * cosine - x_arcsec * sine + 0.5 * (height - 1)
        column = np.clip(column, 0.0, width - 1.001)
        row = np.clip(row, 0.0, height - 1.001)
        left, bottom = column.astype(np.int32), row.astype(np.int32)
        column -= left
        row -= bottom
        corner = bottom * width + left
        flat = self._image.ravel()
        lower, upper = (_between(flat, corner + offset, column) for offset in (0, width))
        return lower + (upper - lower) * row

    def reach_arcsec(self, flux_over_floor: float) -> float:
        """Half the diagonal of the image; see ``Profile``."""
        if float(self._image.max()) * flux_over_floor <= 1.0:
            return 0.0
        return 0.5 * math.hypot(*self._image.shape) * self._light.pixel_arcsec


def _between(flat: np.ndarray, place: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Values between a place and the next."""
    first = flat.take(place)
    return first + (flat.take(place + 1) - first) * share
