"""A machine that speaks GRBL 1.1 at the far end of a pseudo-terminal, and watches what is sent to it."""

import os
import re
import select
import threading
import time
import tty


class Grbl(threading.Thread):
    """Answers as GRBL does and keeps a record.

    A board starts, and greets, when its port is opened. This one cannot see that, and what comes before is lost: it
    greets until it hears something. Whoever opened the port asks for its state then, and draws after the answer.

    overflowed: whether more came than the 127 characters of its buffer. path: each move as (x, y, pen down).
    servo_path: each as (x, y, servo down). line_s: time that a line takes. Faults: error_at: answers error:20 to that
    line. alarm_at: stops with ALARM:1 there. drop_at: hangs up. mute_at: falls silent. restart_at: starts anew. locked:
    begins in an alarm. silent: never answers. deaf: does not answer $H. door: is not ready. babble: sends noise.
    refuse_z_after: answers error:20 to heights after so many lines.
    """

    def __init__(self, line_s=0.0005, welcome=True, **faults):
        super().__init__(daemon=True)
        self.master, self.slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self.slave)
        self.port, self.line_s, self.faults, self.welcome = os.ttyname(self.slave), line_s, faults, welcome
        self.state = "Alarm" if faults.get("locked") else "Door" if faults.get("door") else "Idle"
        self.buffer, self.done, self.overflowed, self.fullest = b"", 0, False, 0
        self.servo_path: list[tuple[float, float, bool]] = []
        self.path, self.at, self.z, self.spindle = [], (0.0, 0.0), 0.0, 0.0
        self.lines, self.resets, self.holds, self.resumes, self.running = [], 0, 0, 0, True
        self.heard = False
        self.start()

    def run(self):
        if self.welcome:
            time.sleep(0.05)
            for _ in range(20 if self.faults.get("babble") else 0):
                self.write(b"x" * 500)
                time.sleep(0.005)
        greeted = 0.0
        while self.running:
            if self.welcome and not self.heard and time.monotonic() - greeted > 0.2:
                greeted = time.monotonic()
                self.greet()
            try:
                if select.select([self.master], [], [], self.line_s)[0]:
                    self.take(os.read(self.master, 4096))
            except OSError:
                if self.running:
                    time.sleep(0.002)
            if self.state in ("Idle", "Run", "Alarm") and b"\n" in self.buffer:
                line, self.buffer = self.buffer.split(b"\n", 1)
                self.work(line.decode().strip())

    def take(self, data: bytes):
        if self.faults.get("silent"):
            return
        self.heard = True
        for value in data:
            char = bytes([value])
            if char == b"?":
                self.say(f"<{self.state}|MPos:0.000,0.000,0.000|FS:0,0>")
            elif char == b"!":
                self.holds += 1
                self.state = "Hold:0" if self.state in ("Idle", "Run") else self.state
            elif char == b"~":
                self.resumes += 1
                self.state = "Idle" if self.state.startswith("Hold") else self.state
            elif char == b"\x18":
                self.resets += 1
                self.buffer = b""
                self.state = "Alarm" if self.state == "Alarm" else "Idle"
                self.greet()
            else:
                self.buffer += char
                self.fullest = max(self.fullest, len(self.buffer))
                self.overflowed |= len(self.buffer) > 127

    def work(self, line: str):
        if line == "$X":
            self.state = "Idle"
            self.say("[MSG:Caution: Unlocked]")
            return self.say("ok")
        if line == "$H" and self.faults.get("deaf"):
            return None
        if line == "$H":
            self.state = "Idle"
            return self.say("ok")
        if self.state == "Alarm":
            return self.say("error:9")
        self.done += 1
        self.lines.append(line)
        if self.done == self.faults.get("error_at"):
            return self.say("error:20")
        if "Z" in line and self.done > self.faults.get("refuse_z_after", self.done):
            return self.say("error:20")
        if self.done == self.faults.get("alarm_at"):
            self.state = "Alarm"
            return self.say("ALARM:1")
        if self.done == self.faults.get("drop_at"):
            return self.stop()
        if self.done == self.faults.get("mute_at"):
            self.faults["silent"] = True
            return None
        if self.done == self.faults.get("restart_at"):
            self.buffer = b""
            return self.greet()
        for letter, value in re.findall(r"([A-Z])(-?[\d.]+)", line):
            if letter == "Z":
                self.z = float(value)
            elif letter == "S":
                self.spindle = float(value)
            elif letter == "M" and float(value) in (2, 5, 30):
                self.spindle = 0.0
        x, y = (re.search(letter + r"(-?[\d.]+)", line) for letter in "XY")
        if x and y:
            self.at = (float(x[1]), float(y[1]))
            self.path.append((*self.at, self.z <= 0 and line.startswith("G1")))
            self.servo_path.append((*self.at, self.spindle > 0))
        return self.say("ok")

    def greet(self):
        """Say what a board says when it starts."""
        self.say("\r\nGrbl 1.1h ['$' for help]")

    def say(self, text: str):
        if not self.faults.get("silent"):
            self.write(text.encode() + b"\r\n")

    def write(self, data: bytes):
        try:
            if self.running:
                os.write(self.master, data)
        except OSError:  # nobody listens any more
            pass

    def stop(self):
        """Hang up."""
        if self.running:
            self.running = False
            if threading.current_thread() is not self:
                self.join(2)
            os.close(self.slave)
            os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
