"""Work on many tasks: in this process, in others that may die, on a Dask cluster; and in threads, ahead of its use.

The contract is one for all places. Tasks are taken one by one as there is room
for them, so they may be without end; results come as each is there, with their
task. A task whose process is killed is tried again, and becomes a ``Died`` when
it has killed several. What the work raises is raised where the results are
awaited. Whoever stops asking (an interrupt, an error) ends all that is at work.
"""

from __future__ import annotations

from lensdetect.parallel.processes import Died
from lensdetect.parallel.tasks import run_tasks, survived
from lensdetect.parallel.threads import ahead

__all__ = ["Died", "ahead", "run_tasks", "survived"]
