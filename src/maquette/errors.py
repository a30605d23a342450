"""The errors that a user can cause, the one that a training run can end in, and a warning."""


class UserError(Exception):
    """One line for the user: what is wrong, what was found, what to do.

    Raised where the user's value enters. The command line prints it without a traceback and exits 1 (2 for bad usage).
    Whatever a file holds, the line is one that a terminal can print: see `printable`.

    Args:
        what: The rule or the thing that failed, naming the file or the key ("resolution must be 20, 32 or 64"). Of more
            than 600 letters the middle is left out.
        got: What was found instead; left out of the line when it is None. At most 300 letters of it are said.
        hint: What to do about it; left out when it is empty.
    """

    def __init__(self, what: str, got: object = None, hint: str = ""):
        self.what, self.got, self.hint = what, got, hint
        said = what if len(what) <= 600 else f"{what[:300]} ... {what[-295:]}"
        line = said if got is None else f"{said}, got {_shortened(str(got), 300)}"
        super().__init__(printable(f"{line}; {hint}" if hint else line))


def printable(text: str) -> str:
    r"""A text on one line that any terminal can print.

    Line ends and tabs become spaces; what would move the cursor or change colours, and letters that cannot be written,
    become escapes: `\x1b`.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else ascii(letter)[1:-1]
                   for letter in text)


class TrainingDiverged(UserError):
    """A number of a training stopped being finite; nothing of it is saved, and the last good checkpoint stays.

    Args:
        step: The absolute step.
        what: What is not finite: `term 'kl' of phase 'encoder' is not finite`.
        value: The number; None where there are many.
        last_good: The step of the newest undamaged checkpoint; 0 where there is none.
    """

    def __init__(self, step: int, what: str, value: float | None = None, last_good: int = 0):
        self.step, self.last_good = step, last_good
        kept = f"the checkpoint of step {last_good} is kept; resume with a lower learning rate"
        fresh = "no checkpoint was written yet; start anew with a lower learning rate"
        super().__init__(f"training diverged at step {step}: {what}", value, kept if last_good else fresh)


def one_line(error: BaseException, most: int = 300) -> str:
    """What an error of a library says, on one line of at most so many letters."""
    return _shortened(" ".join(str(error).split()) or type(error).__name__, most)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


class PlainWarning(UserWarning):
    """Something was done otherwise than asked for; the command line shows it as one line."""


class RenamedWarning(FutureWarning):
    """Something was named as in an earlier release; it still works, until the release after next."""
