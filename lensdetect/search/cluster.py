"""Tasks on the workers of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lensdetect.errors import InputError, one_line
from lensdetect.search.workers import Died

_CONNECT_S = 15


def run_on_cluster(work: Callable, tasks: Sequence, *, scheduler: str) -> Iterator[tuple]:
    """Do tasks on the workers of a Dask scheduler.

    The scheduler itself tries a task again whose worker dies, as often as its
    setting ``distributed.scheduler.allowed-failures`` says (3 times by default).

    Parameters
    ----------
    work : callable
        It, the tasks and the results can be pickled; it raises nothing.
    tasks : sequence
    scheduler : str
        Address, such as ``tcp://10.0.0.1:8786``, or path of its scheduler file.

    Yields
    ------
    tuple
        Task and result, or ``Died``; as each is there.

    Raises
    ------
    InputError
        If there is no scheduler at the address.
    """
    # Dask takes half a second to import, which nobody else should wait for.
    from distributed import Client, KilledWorker, as_completed

    where = {"scheduler_file": scheduler} if scheduler.endswith(".json") else {"address": scheduler}
    try:
        client = Client(**where, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"a Dask scheduler must answer at {scheduler}, got none within {_CONNECT_S} s "
            f"({one_line(error)}): start one, or leave --scheduler out"
        ) from error
    with client:
        futures = client.map(work, tasks, pure=False)
        numbers = {future.key: number for number, future in enumerate(futures)}
        for future in as_completed(futures, loop=client.loop):
            number = numbers[future.key]
            try:
                yield tasks[number], future.result()
            except KilledWorker as error:
                yield tasks[number], Died(f"its worker was killed each time: {' '.join(str(error).split())}")
