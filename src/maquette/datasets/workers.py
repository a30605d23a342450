"""Work on many items in processes of one thread each, in whatever order they finish; stopping leaves none behind."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from maquette.errors import UserError

Key = TypeVar("Key")
Job = TypeVar("Job")
Result = TypeVar("Result")


def map_unordered(
    function: Callable[[Job], Result], jobs: Iterable[tuple[Key, Job]], workers: int, hint: str
) -> Iterator[tuple[Key, Result]]:
    """Yields (key, function(job)) for each (key, job), as they finish; the caller stops by asking for no more.

    Args:
        function: A function of a module or a functools.partial of one, since it is sent to other processes.
        jobs: Read lazily, a few for each process ahead of the results.
        workers: Processes; 1 works in this process.
        hint: What running again costs, for the message when a process dies ("what is done is kept").

    Raises:
        UserError: When a worker process dies, most often for want of memory.
    """
    jobs = iter(jobs)
    if workers == 1:
        for key, job in jobs:
            yield key, function(job)
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)
        try:
            running: dict[Future[Result], Key] = {}
            while True:
                while len(running) < workers * 4 and (following := next(jobs, None)) is not None:
                    running[pool.submit(function, following[1])] = following[0]
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise UserError("a worker process died, most often for want of memory",
                            hint=f"run it again with fewer --workers, {hint}; a script of your own needs "
                            "its work under if __name__ == '__main__'") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started in this block use one thread each."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    import cv2

    cv2.setNumThreads(1)
