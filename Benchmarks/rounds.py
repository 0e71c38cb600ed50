"""Times several programs in turn, in rounds, so that whatever slows the machine slows all of them.

A program is a process that prints `ready VERSION` when it has warmed up. It then answers each line
of standard input, a number of seconds, with how often it did its work in that time and the median
seconds of one run.
"""

import os
import platform
import statistics
import subprocess
import sys
import time


class Runner:
    """A program that is timed, and its figures."""

    def __init__(self, name, configuration, command, environment={}):
        self.name, self.configuration = name, configuration
        self.rounds = []
        self.megabytes = 0.0
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        first = self.process.stdout.readline().split()
        if not first or first[0] != "ready":
            sys.exit(f"{name} {configuration} does not start:\n{self.process.stderr.read()}")
        self.version = first[1]

    def run(self, seconds):
        print(seconds, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            sys.exit(f"{self.name} {self.configuration} stopped:\n{self.process.stderr.read()}")
        self.rounds.append(float(answer[1]))

    def close(self):
        self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.megabytes = usage.ru_maxrss / 1024

    @property
    def figures(self):
        return {
            "configuration": self.configuration,
            "version": self.version,
            "seconds": statistics.median(self.rounds),
            "fastest": min(self.rounds),
            "slowest": max(self.rounds),
            "megabytes": self.megabytes,
        }


def take_turns(runners, rounds, seconds):
    for number in range(rounds):
        # Each round starts with another program, so that none is always the first after a pause.
        start = number % len(runners)
        for runner in runners[start:] + runners[:start]:
            time.sleep(0.05)
            runner.run(seconds)
    for runner in runners:
        runner.close()


def answer_rounds(version, work):
    """The program's side: repeats `work` for as long as each line says. `work` returns how many
    units of work a call did, or nothing for one."""
    print("ready", version, flush=True)
    for line in sys.stdin:
        end = time.perf_counter() + float(line)
        times, count = [], 0
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            done = work() or 1
            times.append((time.perf_counter() - start) / done)
            count += done
        print(count, statistics.median(times), flush=True)


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(": ")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
