"""The errors that a user can cause, the one that a training run can end in, and a warning."""


class UserError(Exception):
    """One line for the user: what is wrong, what was found, what to do.

    Raised where the user's value enters. The command line prints it without a traceback and exits 1 (2 for bad usage).

    Args:
        what: The rule or the thing that failed, naming the file or the key ("resolution must be 20, 32 or 64").
        got: What was found instead; left out of the line when it is None.
        hint: What to do about it; left out when it is empty.
    """

    def __init__(self, what: str, got: object = None, hint: str = ""):
        self.what, self.got, self.hint = what, got, hint
        line = what if got is None else f"{what}, got {got}"
        super().__init__(f"{line}; {hint}" if hint else line)


class TrainingDiverged(UserError):
    """A loss term stopped being a finite number; the last good checkpoint stays.

    Args:
        step: The absolute step; phase and term: the names in the system's phase table.
    """

    def __init__(self, step: int, phase: str, term: str, value: float):
        self.step, self.phase, self.term = step, phase, term
        super().__init__(
            f"training diverged at step {step}: term '{term}' of phase '{phase}' is not finite",
            got=value,
            hint="the last good checkpoint is kept; resume with a lower learning rate",
        )


class RenamedWarning(FutureWarning):
    """Something was named as in an earlier release; it still works, until the release after next."""


class FallbackWarning(UserWarning):
    """Something was done in another way than it was asked for; one line says which. The command line shows it."""
