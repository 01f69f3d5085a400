"""A process that has run every command once, and forks one more for each way in which streams or memory are broken.

Importing torch takes seconds, and a fork has it. Read from stdin: a folder to work in, the words of each command, and
the cases. Written to stdout: for each command what it did in this process, undisturbed, and then in each case.

Limits: Linux. Everything is imported and compiled before memory is limited, since a library that is being loaded then
may end the process by itself.
"""

import contextlib
import gc
import io
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

from cli.context import CliContext
from cli.main import main
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import order
from up.model.mixing.predictor import MixingPredictor
from up.use import predictor

SECONDS = 120


def quick_predictor():
    """Return what stands in for the mixing predictor that reads whole files, which takes longer."""
    return MixingPredictor(MixingConfig(hidden=(8, 8)), contexts=(order(1), order(2), order(4)))


def undisturbed(words, folder):
    os.chdir(tempfile.mkdtemp(dir=folder))
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout):  # help pages
        code = main(words, CliContext.from_streams(stdout, stderr, {}))
    return {"code": code, "stdout": stdout.getvalue(), "stderr": stderr.getvalue(), "folder": os.getcwd()}


def disturbed(words, case, folder):
    place = Path(tempfile.mkdtemp(dir=folder))
    child = os.fork()
    if child == 0:
        os.chdir(place)
        signal.alarm(SECONDS)
        break_streams(case, place)
        if case.get("spare_bytes") is not None:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + case["spare_bytes"],) * 2)
        os._exit(ended(main(words)))
    _, status = os.waitpid(child, 0)
    said = {name: (place / f".{name}").read_bytes().decode() for name in ("stdout", "stderr")}
    return {"code": os.waitstatus_to_exitcode(status), "folder": str(place), **said}


def ended(code):
    """Return the exit code of a process that flushes its streams at its end; the rest of its end would take seconds."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except OSError:
            code = 120  # as Python says it
    return code


def break_streams(case, place):
    """Let stdout and stderr be what a process would find at its start."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(place / f".{name}", os.O_WRONLY | os.O_CREAT)  # what is said, if anything can be
        how = case.get(name)
        if how == "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)
        elif how == "no reader":
            reader, writer = os.pipe()
            os.close(reader)
            os.dup2(writer, descriptor)
        else:
            os.dup2(file, descriptor)
        os.close(file)
        if how == "closed":
            os.close(descriptor)
            setattr(sys, name, None)
        else:
            errors = "strict" if name == "stdout" else "backslashreplace"
            stream = io.TextIOWrapper(open(descriptor, "wb"), "utf-8", errors, line_buffering=name == "stderr")  # noqa: SIM115
            setattr(sys, name, stream)


if __name__ == "__main__":
    told = json.load(sys.stdin)
    predictor.load_predictor = lambda _name: quick_predictor()
    answer, whole = os.fdopen(os.dup(1), "w"), {}
    for name, words in told["commands"].items():
        whole[name] = {"undisturbed": undisturbed(words, told["folder"])}
    gc.freeze()
    for name, words in told["commands"].items():
        for each, case in told["cases"].items():
            whole[name][each] = disturbed(words, case, told["folder"])
    with answer:
        json.dump(whole, answer)
