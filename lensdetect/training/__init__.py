"""Training: plans, runs on disk, and the way from a run to an artifact."""

from lensdetect.training.export import export as export
from lensdetect.training.export import make_card as make_card
from lensdetect.training.export import measure as measure
from lensdetect.training.files import find_detector_spec as find_detector_spec
from lensdetect.training.files import find_plan as find_plan
from lensdetect.training.fit import resume as resume
from lensdetect.training.fit import train as train
from lensdetect.training.plan import CosineSchedule as CosineSchedule
from lensdetect.training.plan import ExponentialSchedule as ExponentialSchedule
from lensdetect.training.plan import Plan as Plan
from lensdetect.training.plan import TrainingStage as TrainingStage
from lensdetect.training.plan import plan_from_dict as plan_from_dict
from lensdetect.training.plans import PLANS as PLANS
from lensdetect.training.plans import get_plan as get_plan
from lensdetect.training.run import Run as Run
