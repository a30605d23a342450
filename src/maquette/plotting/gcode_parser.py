"""G-code as GRBL 1.1 reads it: lines of words, each a letter and a number, and the modes that they leave behind.

Checking, timing and sending all go through here, so that a line means the same to each of them. `parse_block` takes one
line apart, `Interpreter` knows what the lines before it have set. Words are compared as letter and number: `M3`,
`m03` and `M 3.0` are one word.
"""

import math
import re
from dataclasses import dataclass

from maquette.errors import UserError

MODAL_GROUPS: dict[str, dict[str, frozenset[float]]] = {
    "G": {
        "motion": frozenset({0, 1, 80}), "dwell": frozenset({4}), "plane": frozenset({17}), "units": frozenset({21}),
        "cutter": frozenset({40}), "tool": frozenset({49}), "origin": frozenset({54}), "distance": frozenset({90}),
        "feed": frozenset({94}),
    },
    "M": {"flow": frozenset({0, 2, 30}), "spindle": frozenset({3, 5})},
}
"""The words of G and M that are known, by the group of which one line may hold one."""
VALUES = "FPSXYZ"
"""The other letters that are known."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_SHOWN = 60  # characters of a line that an error shows


@dataclass(frozen=True)
class Word:
    """A letter and its number.

    Attributes:
        letter: In upper case.
        value: The number.
        text: The number as it is sent: without zeros in front, which GRBL would count among its eight digits.
    """

    letter: str
    value: float
    text: str

    def __str__(self) -> str:
        return self.letter + self.text


@dataclass(frozen=True)
class Block:
    """One line of a program.

    Attributes:
        words: In their order, without the line's number.
        comment: What stands in its comments.
        line: As it stands in the file.
    """

    words: tuple[Word, ...]
    comment: str = ""
    line: str = ""

    @property
    def shown(self) -> str:
        """The line, as an error shows it."""
        return repr(self.line.strip()[:_SHOWN])

    def value(self, letter: str) -> float | None:
        """The number of the word with this letter; None if there is none."""
        return next((word.value for word in self.words if word.letter == letter), None)

    def has(self, letter: str, *values: float) -> bool:
        """Whether one of these words is in the line."""
        return any(word.letter == letter and word.value in values for word in self.words)

    @property
    def stops(self) -> bool:
        """Whether the program stands still after this line, until somebody lets it go on (M0)."""
        return self.has("M", 0)

    @property
    def ends(self) -> bool:
        """Whether the program is over after this line (M2, M30)."""
        return self.has("M", 2, 30)

    @property
    def moves(self) -> bool:
        """Whether it names a place to go to."""
        return any(word.letter in "XYZ" for word in self.words)

    def text(self) -> str:
        """The line as it is sent: no spaces, no comments, and no stop, which is the sender's to make."""
        return "".join(str(word) for word in self.words if not (word.letter == "M" and word.value == 0))


def parse_block(line: str, where: str = "a line of the G-code") -> Block:
    """Take a line apart.

    Comments stand in brackets or after a semicolon. `*` and a number after the words is a checksum: the exclusive or of
    all characters before it.

    Args:
        line: One line.
        where: What an error calls it.

    Raises:
        UserError: If it cannot be read, has a letter twice, two words of one modal group, or a checksum that is wrong.
    """
    code, comment, checksum, wanted = _split(line, where)
    bare = "".join(code.split()).upper()
    words: list[Word] = []
    at = 0
    while at < len(bare):
        found = _NUMBER.match(bare, at + 1)
        if not ("A" <= bare[at] <= "Z" and found):
            raise _unreadable(line, where)
        value = float(found[0])
        if not math.isfinite(value):
            raise _unreadable(line, where)
        text = f"{int(value)}" if bare[at] in "GM" and value.is_integer() else _sent_number(found[0])
        words.append(Word(bare[at], value, text))
        at = found.end()
    if checksum is not None and checksum != wanted:
        raise UserError(f"{where} is damaged: its checksum does not fit", checksum, f"its characters give {wanted}")
    _require_single(words, where)
    return Block(tuple(word for word in words if word.letter != "N"), comment, line)


@dataclass(frozen=True)
class Effect:
    """What one line does.

    Attributes:
        start: Where it begins, (x, y) in millimetres.
        end: Where it ends.
        drawn: Whether it goes there as G1 does; else as G0.
        feed: The speed set for G1, in millimetres a minute; None if none was set.
        wait_s: How long it waits, in seconds.
        lifts: Whether it may bring the pen to another height.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    drawn: bool
    feed: float | None
    wait_s: float
    lifts: bool


class Interpreter:
    """What the lines so far have left set, as GRBL has it after it has started.

    Attributes:
        motion: How words of place move: 0 quickly, 1 drawing; None after G80.
        millimetres: Whether G21 was given.
        absolute: Whether G90 was given.
        feed: In millimetres a minute; None before the first F.
        at: The place (x, y), in millimetres.
        z: The height, in millimetres; None before the first Z.
        spindle: Whether the servo's output is on (M3); None before the first M3 or M5.
        speed: Value of the servo (S).
        ended: Whether the program is over.
    """

    def __init__(self) -> None:
        self.motion: int | None = 0
        self.millimetres, self.absolute, self.ended = False, False, False
        self.feed: float | None = None
        self.at = (0.0, 0.0)
        self.z: float | None = None
        self.spindle: bool | None = None
        self.speed = 0.0

    def run(self, block: Block, where: str = "a line of the G-code") -> Effect:
        """Go on by one line, its words in the order in which GRBL acts on them.

        Args:
            block: The line.
            where: What an error calls it.

        Raises:
            UserError: If it comes after the program's end, or moves with no way of moving set.
        """
        if self.ended and block.words:
            raise UserError(f"{where} comes after the end of the program", block.shown)
        before = self.z, self.spindle, self.speed
        feed, speed = block.value("F"), block.value("S")
        self.feed = self.feed if feed is None else feed
        self.speed = self.speed if speed is None else speed
        if block.has("M", 3, 5):
            self.spindle = block.has("M", 3)
        self.millimetres |= block.has("G", 21)
        self.absolute |= block.has("G", 90)
        for motion in (0, 1, 80):
            if block.has("G", motion):
                self.motion = None if motion == 80 else motion
        start = self.at
        if block.moves:
            if not (self.millimetres and self.absolute):
                raise UserError(f"{where} moves before G21 and G90 were given", block.shown)
            if self.motion is None:
                raise UserError(f"{where} moves, but neither G0 nor G1 is set", block.shown)
            x, y, z = (block.value(letter) for letter in "XYZ")
            self.at = (start[0] if x is None else x, start[1] if y is None else y)
            self.z = self.z if z is None else z
        if block.ends:
            self.ended, self.spindle = True, None if self.spindle is None else False
        wait = (block.value("P") or 0.0) if block.has("G", 4) else 0.0
        return Effect(start, self.at, self.motion == 1, self.feed, wait, before != (self.z, self.spindle, self.speed))

    @property
    def servo(self) -> float | None:
        """The value of the servo's output; None if the program has not used it."""
        return None if self.spindle is None else self.speed if self.spindle else 0.0


def _split(line: str, where: str) -> tuple[str, str, int | None, int]:
    """Split a line into code and comment.

    Returns:
        The code, the comments, the checksum if there is one, and the checksum that it ought to have.
    """
    if not any(sign in line for sign in "(;*"):
        return line, "", None, 0
    code, comments, at, star = "", [], 0, None
    while at < len(line):
        if line[at] == ";":
            comments.append(line[at + 1 :])
            break
        if line[at] == "(":
            end = line.find(")", at)
            if end < 0:
                raise _unreadable(line, where)
            comments.append(line[at + 1 : end])
            at = end
        elif line[at] == "*" and star is None:
            star = at
            code += "*"
        else:
            code += line[at]
        at += 1
    comment = " ".join(part.strip() for part in comments if part.strip())
    if star is None:
        return code, comment, None, 0
    code, _, told = code.partition("*")
    if not re.fullmatch(r"\s*[0-9]{1,3}\s*", told):
        raise _unreadable(line, where)
    wanted = 0
    for character in line[:star].encode("ascii", "replace"):
        wanted ^= character
    return code, comment, int(told), wanted


def _sent_number(text: str) -> str:
    """A number without zeros in front."""
    sign = "-" if text[0] == "-" else ""
    whole, point, part = text.lstrip("+-").partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{point}{part}"


def _require_single(words: list[Word], where: str) -> None:
    """Raise UserError if a letter stands there twice, or two words of one modal group."""
    taken: set[tuple[str, str]] = set()
    for word in words:
        groups = MODAL_GROUPS.get(word.letter, {})
        group = next((name for name, values in groups.items() if word.value in values), str(word))
        key = word.letter, group if word.letter in MODAL_GROUPS else ""
        if key in taken:
            raise UserError(f"{where} cannot be read: two words for one thing", f"{word} is the second",
                            "give each a line of its own")
        taken.add(key)


def _unreadable(line: str, where: str) -> UserError:
    """The error for a line that is no G-code."""
    return UserError(f"{where} cannot be read", repr(line.strip()[:_SHOWN]))
