"""What became of updated terminals, beside those that still wait. The runner asks `evaluate` once a minute."""

from tms.rollouts.watching.verdict import Verdict, evaluate

__all__ = ["Verdict", "evaluate"]
