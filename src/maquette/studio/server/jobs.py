"""One job at a time: whoever comes later waits in line, and leaves it when the tab is closed."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")
MOST_WAITING = 32
"""Jobs in line, the one that is done included."""
_ASK_S = 0.25  # between two questions whether somebody still waits


class Busy(Exception):
    """The line is full."""


class Gone(Exception):
    """Nobody waits for the answer any more."""


class Jobs:
    """A line of jobs and the one thread that does them, in the order in which they came."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="studio")
        self.waiting = 0

    async def do(self, work: Callable[[], Made], gone: Callable[[], Awaitable[bool]]) -> Made:
        """What a job makes.

        Args:
            work: The job; done in the thread.
            gone: Whether nobody waits for it any more. A job that was not begun is then left out.

        Raises:
            Busy: Where `MOST_WAITING` jobs are in line.
            Gone: Where nobody waits any more.
            Exception: What the job raises.
        """
        if self.waiting >= MOST_WAITING:
            raise Busy
        self.waiting += 1
        future = self._thread.submit(work)
        done = asyncio.wrap_future(future)
        try:
            while not (await asyncio.wait([done], timeout=_ASK_S))[0]:
                if await gone():
                    future.cancel()
                    raise Gone
            return done.result()
        finally:
            self.waiting -= 1
            if not done.done():  # it ends by itself, and nobody hears of it
                done.cancel()

    def end(self) -> None:
        """Take no more; those in line are left out."""
        self._thread.shutdown(wait=False, cancel_futures=True)
