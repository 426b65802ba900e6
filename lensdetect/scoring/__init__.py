"""Images to a ranked table: what ``lensdetect score`` does, and ``lensdetect.score``."""

from __future__ import annotations

from lensdetect.scoring.declaring import open_images as open_images
from lensdetect.scoring.declaring import survey_name as survey_name
from lensdetect.scoring.ranking import Ranking as Ranking
from lensdetect.scoring.ranking import rank as rank
from lensdetect.scoring.ranking import score as score
from lensdetect.scoring.results import best_mosaic as best_mosaic
from lensdetect.scoring.results import summary as summary
from lensdetect.scoring.results import write_results as write_results
from lensdetect.scoring.truth import Comparison as Comparison
from lensdetect.scoring.truth import check_truth as check_truth
from lensdetect.scoring.truth import compare as compare
from lensdetect.scoring.writing import check_writable as check_writable
from lensdetect.scoring.writing import write_table as write_table
