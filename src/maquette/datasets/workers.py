"""Work on many items in processes of one thread each, in whatever order they finish; stopping leaves none behind."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import TypeVar

from maquette.errors import UserError

Key = TypeVar("Key")
Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerDied(Exception):
    """The process that did a job died, twice: by a file that crashes its reader, or for want of memory."""

    def __init__(self) -> None:
        super().__init__("the process that worked on it died: the file is damaged, or there is too little memory")


def map_unordered(
    function: Callable[[Job], Result], jobs: Iterable[tuple[Key, Job]], workers: int, hint: str,
    died: Callable[[Job, WorkerDied], Result] | None = None,
) -> Iterator[tuple[Key, Result]]:
    """Yields (key, function(job)) for each (key, job), as they finish; the caller stops by asking for no more.

    When a process dies, the jobs that were in work are done again, one at a time, so that the one that ends a process
    is known and costs no other.

    Args:
        function: A function of a module or a functools.partial of one, since it is sent to other processes.
        jobs: Read lazily, a few for each process ahead of the results.
        workers: Processes; 1 works in this process.
        hint: What running again costs, for the message when a process dies ("what is done is kept").
        died: Makes the result of a job whose process died, so that the others go on; None ends the work.

    Raises:
        UserError: When a worker process dies where `died` is None, and when no worker process lives at all.
    """
    jobs = iter(jobs)
    if workers == 1:
        for key, job in jobs:
            yield key, function(job)
        return
    with _one_thread_each():
        pool = _pool(workers)
        running: dict[Future[Result], tuple[Key, Job]] = {}
        try:
            while True:
                try:
                    while len(running) < workers * 4 and (following := next(jobs, None)) is not None:
                        key, job = following
                        try:
                            running[pool.submit(function, job)] = following
                        except BrokenProcessPool:
                            running[Future()] = following
                            raise
                    if not running:
                        return
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        result = future.result()
                        yield running.pop(future)[0], result
                except BrokenProcessPool as error:
                    pool.shutdown(wait=True, cancel_futures=True)
                    if died is None:
                        raise _no_worker(hint) from error
                    suspects = list(running.values())
                    running.clear()
                    yield from _one_by_one(function, suspects, hint, died)
                    pool = _pool(workers)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _one_by_one(
    function: Callable[[Job], Result], jobs: Sequence[tuple[Key, Job]], hint: str,
    died: Callable[[Job, WorkerDied], Result],
) -> Iterator[tuple[Key, Result]]:
    """Does jobs of which one ended its process, in one process after another."""
    pool = _pool(1)
    try:
        for key, job in jobs:
            try:
                result = pool.submit(function, job).result()
            except BrokenProcessPool as error:
                pool.shutdown(wait=True)
                pool = _pool(1)
                try:
                    pool.submit(cores).result()  # a process that does nothing lives: it was the job
                except BrokenProcessPool:
                    raise _no_worker(hint) from error
                result = died(job, WorkerDied())
            yield key, result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)


def _no_worker(hint: str) -> UserError:
    return UserError("a worker process died, most often for want of memory",
                     hint=f"run it again with fewer --workers, {hint}; a script of your own needs "
                     "its work under if __name__ == '__main__'")


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
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import cv2

    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    """A parent that is killed tells nobody, and its workers would wait for jobs for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
