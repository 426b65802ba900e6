"""Networks of searches that found lenses in KiDS and in the Dark Energy Survey."""

from __future__ import annotations

from lensdetect.network.spec import (
    DetectorSpec,
    EfficientNetStem,
    PeakFront,
    PublishedHead,
    ResNetStem,
)
from lensdetect.network.zoo.row import System

PETRILLO = "Petrillo+ 2019, MNRAS 482 807 and MNRAS 484 3879 (LinKS)"
LI = "Li+ 2020, ApJ 899 30; Li+ 2021, ApJ 923 16"
ROJAS = "Rojas+ 2022, A&A 668 A73"

_RESNET_18 = DetectorSpec(ResNetStem(), None, PublishedHead(()), PeakFront(power=0.5))
_RESNET_READING = (
    "one trained on r alone and one on g, r, i: give those bands. Our reading: the 18-layer network of He+ 2016 as it "
    "is, the mean over its grid to the logit, and a square root of the flux over its peak; for their colour composites "
    "of g, r, i, the same stretch of each band."
)

SEARCHES: tuple[System, ...] = (
    System(
        name="petrillo_links",
        group="survey",
        source=PETRILLO,
        structure="ResNet-18",
        spec=_RESNET_18,
        parameters=11_189_761,
        reading=f"Published: a residual network of 18 layers, {_RESNET_READING}",
    ),
    System(
        name="li_kids",
        group="survey",
        source=LI,
        structure="ResNet-18",
        spec=_RESNET_18,
        parameters=11_189_761,
        reading=(
            f"Published: a network after that of Petrillo+ 2019, {_RESNET_READING} It is that row's network; the two "
            "searches differ in what they trained on."
        ),
    ),
    System(
        name="rojas_des",
        group="survey",
        source=ROJAS,
        structure="EfficientNet-B0",
        spec=DetectorSpec(EfficientNetStem("B0"), None, PublishedHead(()), PeakFront(power=0.5)),
        parameters=4_051_133,
        reading=(
            "Published: an EfficientNet on g, r, i. Our reading: its smallest size, B0, untrained, the mean over its "
            "grid to the logit, and a square root of the flux over its peak."
        ),
    ),
)
