"""Detectors: builders, parts and the table of named ones. Pure Keras 3."""

from lensdetect.network.augmentation import Augmentation as Augmentation
from lensdetect.network.augmentation import augment as augment
from lensdetect.network.build import attention_maps as attention_maps
from lensdetect.network.build import build_detector as build_detector
from lensdetect.network.build import get_spec as get_spec
from lensdetect.network.build import resolve_bands as resolve_bands
from lensdetect.network.spec import AsinhFront as AsinhFront
from lensdetect.network.spec import AttentionPoolHead as AttentionPoolHead
from lensdetect.network.spec import ConvRow as ConvRow
from lensdetect.network.spec import ConvStem as ConvStem
from lensdetect.network.spec import DetectorSpec as DetectorSpec
from lensdetect.network.spec import PreNormEncoder as PreNormEncoder
from lensdetect.network.spec import PublishedEncoder as PublishedEncoder
from lensdetect.network.spec import PublishedFront as PublishedFront
from lensdetect.network.spec import PublishedHead as PublishedHead
from lensdetect.network.spec import ResidualStem as ResidualStem
from lensdetect.network.spec import Stage as Stage
from lensdetect.network.spec_json import spec_from_dict as spec_from_dict
from lensdetect.network.spec_json import spec_to_dict as spec_to_dict
from lensdetect.network.zoo import DETECTORS as DETECTORS
