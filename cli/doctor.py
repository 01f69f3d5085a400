"""`up doctor`: what this machine has, and whether anything needed is missing."""

import importlib
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

import up
from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.render.doctor import CorpusFound, DoctorReport, TerminalFound, doctor_view
from up.errors import InputError
from up.packages import why_broken

if TYPE_CHECKING:  # up.device imports torch
    from up.device import DeviceInfo

NEEDED = (
    "torch",
    "numpy",
    "rich",
    "typer",
    "plotext",
    "matplotlib",
    "safetensors",
    "filelock",
    "numba",
    "platformdirs",
)
OPTIONAL = ("tensorboard", "pyarrow", "brotli", "pyppmd", "zstandard", "sympy", "triton")
USED_AS = {"matplotlib": "matplotlib.figure", "tensorboard": "torch.utils.tensorboard", "pyarrow": "pyarrow.parquet"}
"""What of a package is imported by `up`, where that is not the package alone."""
OURS = ("cli", "up", "theory")
DISTRIBUTION = "universal-pretraining"
RUNS_FOLDER = Path("runs")


def register(app: typer.Typer) -> None:
    """Hang `up doctor` on the app."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, json_output: JsonOption = False, quiet: QuietOption = False) -> None:
    """Check this machine: versions, devices, data, disk and terminal.

    Exits with 1 if something needed is missing or cannot be imported.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking around"):
        report = examine(cli)
    if cli.json_output:
        cli.emit_json(report)
    else:
        cli.stdout.print(doctor_view(report, optional=OPTIONAL, runs_folder=str(RUNS_FOLDER)))
    if report.problems:
        raise typer.Exit(ExitCode.FAILED)


def examine(cli: CliContext) -> DoctorReport:
    """Look at the machine; whatever cannot be found becomes a line in `problems`."""
    packages = {name: _version(name) for name in (*NEEDED, *OPTIONAL)}
    problems = [f"{name} is not installed: reinstall up" for name in NEEDED if packages[name] is None]
    broken = {name: why for name in packages if packages[name] and (why := why_broken(USED_AS.get(name, name)))}
    problems += [f"{name} cannot be imported ({why}): reinstall it" for name, why in broken.items() if name in NEEDED]
    folders = {name: _folder(name) for name in OURS}
    problems += foreign_packages(folders, _providers())
    devices: tuple[DeviceInfo, ...] = ()
    usable = {name for name, version in packages.items() if version and name not in broken}
    if "torch" in usable:
        devices = tuple(_devices())
    corpora: tuple[CorpusFound, ...] = ()
    if "numpy" in usable:
        corpora = tuple(_corpora(problems))
    disk_problem = _disk_problem(RUNS_FOLDER)
    problems += [disk_problem] if disk_problem is not None else []
    return DoctorReport(
        up=up.__version__,
        python=platform.python_version(),
        packages=packages,
        broken=broken,
        folders={name: str(folder) for name, folder in folders.items()},
        devices=devices,
        corpora=corpora,
        free_disk_bytes=_free_disk_bytes(RUNS_FOLDER),
        disk_problem=disk_problem,
        terminal=TerminalFound(
            is_terminal=cli.stdout.is_terminal,
            colour=cli.stdout.color_system is not None,
            width_columns=cli.stdout.width,
        ),
        problems=tuple(problems),
    )


def _version(package: str) -> str | None:
    import importlib.metadata  # 17 ms, which every other command would wait for

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def foreign_packages(folders: Mapping[str, Path], providers: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each of our packages that is not ours: their names are plain, and others may use them too.

    Args:
        folders: where each package was imported from.
        providers: package to the distributions that install one of this name.

    """
    home = folders["cli"]
    remedy = "install up in an environment of its own, by pipx or uv tool"
    problems = [
        f"the package {name} comes from {folder}, and cli from {home}: {remedy}"
        for name, folder in folders.items()
        if folder != home
    ]
    for name in folders:
        others = sorted(set(providers.get(name, ())) - {DISTRIBUTION})
        if others:
            problems.append(f"{', '.join(others)} installs a package {name} as well: {remedy}")
    return problems


def _folder(package: str) -> Path:
    found = importlib.import_module(package).__file__
    assert found is not None, f"{package} is a folder with an __init__.py"
    return Path(found).resolve().parents[1]


def _providers() -> Mapping[str, Sequence[str]]:
    import importlib.metadata

    return importlib.metadata.packages_distributions()


def _devices() -> "Iterator[DeviceInfo]":
    import torch

    from up.device import describe_device

    yield describe_device(torch.device("cpu"))
    for index in range(torch.cuda.device_count()):
        yield describe_device(torch.device("cuda", index))
    if torch.backends.mps.is_available():
        yield describe_device(torch.device("mps"))


def _corpora(problems: list[str]) -> Iterator[CorpusFound]:
    from up.data.corpora import EMBEDDED_CORPORA, load_corpus

    for name in EMBEDDED_CORPORA:
        try:
            corpus = load_corpus(name)
        except InputError as error:
            problems.append(str(error))
        else:
            yield CorpusFound(name=name, size_bytes=corpus.size_bytes, source=corpus.source)


def _disk_problem(folder: Path) -> str | None:
    """Return why no run could be written to `folder`, or be put there once it is made."""
    try:
        from up.runs.place import require_writable

        require_writable(folder)
    except ImportError:  # told of among the packages
        return None
    except InputError as error:
        return str(error)
    return None


def _free_disk_bytes(folder: Path) -> int:
    """Free bytes on the disk that holds `folder`, or that would hold it once it is made."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
