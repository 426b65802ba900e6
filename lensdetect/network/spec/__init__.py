"""What a detector is made of, as plain frozen dataclasses.

A ``DetectorSpec`` names a front (preprocessing), a stem (pixels to a grid of
features), an encoder (self-attention over the grid's cells) and a head
(tokens to a logit). Each class of row has one builder, found by its type.
"""

from lensdetect.network.spec.detector import Branch as Branch
from lensdetect.network.spec.detector import DetectorSpec as DetectorSpec
from lensdetect.network.spec.detector import MergedSpec as MergedSpec
from lensdetect.network.spec.encoders import Encoder as Encoder
from lensdetect.network.spec.encoders import PreNormEncoder as PreNormEncoder
from lensdetect.network.spec.encoders import PublishedEncoder as PublishedEncoder
from lensdetect.network.spec.fronts import AsinhFront as AsinhFront
from lensdetect.network.spec.fronts import Front as Front
from lensdetect.network.spec.fronts import MeasuredFront as MeasuredFront
from lensdetect.network.spec.fronts import PeakFront as PeakFront
from lensdetect.network.spec.fronts import PublishedFront as PublishedFront
from lensdetect.network.spec.fronts import StandardFront as StandardFront
from lensdetect.network.spec.heads import AttentionPoolHead as AttentionPoolHead
from lensdetect.network.spec.heads import DenseRow as DenseRow
from lensdetect.network.spec.heads import DihedralHead as DihedralHead
from lensdetect.network.spec.heads import FlattenHead as FlattenHead
from lensdetect.network.spec.heads import Head as Head
from lensdetect.network.spec.heads import PublishedHead as PublishedHead
from lensdetect.network.spec.stems import BottleneckStem as BottleneckStem
from lensdetect.network.spec.stems import ConvRow as ConvRow
from lensdetect.network.spec.stems import ConvStem as ConvStem
from lensdetect.network.spec.stems import EfficientNetStem as EfficientNetStem
from lensdetect.network.spec.stems import ResidualStem as ResidualStem
from lensdetect.network.spec.stems import ResNetStem as ResNetStem
from lensdetect.network.spec.stems import Stage as Stage
from lensdetect.network.spec.stems import Stem as Stem
