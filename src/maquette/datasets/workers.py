"""Work on many items in processes of one thread each, in whatever order they are done; stopping leaves none behind."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from maquette.errors import UserError


def run(do: Callable, jobs: Iterable[tuple[object, object]], workers: int, again: str) -> Iterator[tuple]:
    """Yields (key, do(item)) of each job (key, item) as it is done; not asking for more is stopping.

    Args:
        do: A function of a module or a functools.partial of one.
        workers: Processes; 1 works in this process.
        again: What running again costs, for the message when a process dies ("what is done is kept").
    """
    jobs = iter(jobs)
    if workers == 1:
        for key, item in jobs:
            yield key, do(item)
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)
        try:
            running = {}
            while True:
                while len(running) < workers * 4 and (job := next(jobs, None)) is not None:
                    running[pool.submit(do, job[1])] = job[0]
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise UserError("a worker process died, most often for want of memory",
                            hint=f"run it again with fewer --workers, {again}; a script of your own needs "
                            "its work under if __name__ == '__main__'") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Processors that this process may use."""
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
