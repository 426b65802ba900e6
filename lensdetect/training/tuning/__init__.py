"""Tuning: a search over the sizes of a detector and how it is trained."""

from lensdetect.training.tuning.choosing import PARTS as PARTS
from lensdetect.training.tuning.choosing import knobs_of as knobs_of
from lensdetect.training.tuning.choosing import turned as turned
from lensdetect.training.tuning.knobs import Knob as Knob
from lensdetect.training.tuning.record import OBJECTIVES as OBJECTIVES
from lensdetect.training.tuning.record import SEARCHES as SEARCHES
from lensdetect.training.tuning.record import Search as Search
from lensdetect.training.tuning.search import tune as tune
from lensdetect.training.tuning.streaming import StreamingAuroc as StreamingAuroc
from lensdetect.training.tuning.streaming import StreamingTpr as StreamingTpr
