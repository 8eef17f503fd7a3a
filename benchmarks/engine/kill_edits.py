"""Kills an edit at a random moment, heals and takes it back, as `l4serve doctor` says; another is healed and destroyed.

python -m benchmarks.engine.kill_edits --kills 20 --seed 1

Prints one line a pair and a summary, as `kill_points` does.
"""

import tempfile
from functools import partial
from pathlib import Path

import psutil

from benchmarks.engine.kill_points import CONFIG, Updates, alive, killed, objects, run, stack
from benchmarks.engine.killing import Pair, differing, main, timed
from tests.factories import workload
from tests.pulumi_cli.cut_off import adopt, unlock
from tests.pulumi_cli.engine import Engine

EDITED = stack(a=workload(replicas=2, extraEnv={"EDITED": "yes"}), b=workload(), c=workload())


class Returns(Updates):
    """An edit that is killed and taken back, and one that is killed and destroyed."""

    def clean(self) -> tuple[float, float]:
        """As Subject says; the edit's seconds, twice."""
        with tempfile.TemporaryDirectory() as folder:
            engine = self.engine(Path(folder))
            engine.up()
            self.undisturbed = objects(self.plane.client)
            engine.configure(EDITED)
            edit_s = timed(engine.up)
            engine.destroy()
            return edit_s, edit_s

    def pair(self, moments: tuple[float, float]) -> Pair:
        """As Subject says."""
        with tempfile.TemporaryDirectory() as folder:
            engine = self.engine(Path(folder))
            engine.up()
            return self.taken_back(engine, moments)

    def taken_back(self, engine: Engine, moments: tuple[float, float]) -> Pair:
        """The pair of a stack that is up."""
        cut, family = self._edit(engine, moments[0])
        engine.configure(CONFIG)
        engine.up()
        found = objects(self.plane.client)
        cut_again, more = self._edit(engine, moments[1])
        engine.destroy()
        left = [*self.left(engine), *alive([*family, *more])]
        return Pair(moments, (cut, cut_again), differing(found, self.undisturbed), tuple(left))

    def _edit(self, engine: Engine, after_s: float) -> tuple[bool, list[psutil.Process]]:
        """As `killed` says, of an edit that is healed."""
        engine.configure(EDITED)
        cut = killed(engine, "up", after_s)
        unlock(engine)
        adopt(engine)
        return cut


if __name__ == "__main__":
    main(__doc__, partial(run, Returns))
