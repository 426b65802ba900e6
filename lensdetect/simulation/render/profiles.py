"""What every component of light can do for the painter, and the table of who does it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lensdetect.simulation.render.picture import PictureProfile
from lensdetect.simulation.render.ring import RingProfile
from lensdetect.simulation.render.sersic import SersicProfile
from lensdetect.simulation.scene import ImageLight, Light, RingLight, SersicLight


class Profile(Protocol):
    """Surface brightness of a component of unit flux.

    ``sampling_arcsec`` is the spacing of points whose mean is good to 1e-3 of the
    flux, ``smooth_arcsec`` the same outside the core, and ``cusp_points`` into how
    many points along a side the cells of the core are divided, outer ones first.
    """

    x_arcsec: float
    y_arcsec: float
    sampling_arcsec: float
    smooth_arcsec: float
    cusp_points: tuple[int, ...]

    def brightness(self, x_arcsec: np.ndarray, y_arcsec: np.ndarray) -> np.ndarray:
        """Flux per square arcsec at offsets from the centre that broadcast; its integral over the plane is 1."""

    def reach_arcsec(self, flux_over_floor: float) -> float:
        """Distance from the centre beyond which it is below a floor; 0 if it is so everywhere.

        Parameters
        ----------
        flux_over_floor : float
            Total flux over the surface brightness that may be neglected, in square arcsec.
        """


_PROFILES = {SersicLight: SersicProfile, RingLight: RingProfile, ImageLight: PictureProfile}


def profile_of(light: Light) -> Profile:
    """How a component of light is evaluated."""
    return _PROFILES[type(light)](light)
