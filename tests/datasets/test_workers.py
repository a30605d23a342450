"""Work in several processes: one that dies costs its own job and no other."""

import pytest
from dying import doubled, not_doubled

from maquette.datasets.workers import map_unordered
from maquette.errors import UserError


def test_a_job_that_ends_its_process_is_known_and_the_rest_goes_on():
    jobs = [(f"job {number}", number) for number in range(20)]
    done = dict(map_unordered(doubled, jobs, 2, "", not_doubled))
    assert done == {f"job {number}": -7 if number == 7 else 2 * number for number in range(20)}


def test_without_a_result_for_it_the_work_ends_in_one_line():
    with pytest.raises(UserError, match="a worker process died, most often for want of memory; run it again with few"):
        dict(map_unordered(doubled, [(7, 7), (8, 8)], 2, "what is done is kept"))
