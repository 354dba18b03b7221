"""Commands on the law files: a copy to begin with, and a check before the copy is put in place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.frame import AsJson, say
from app.domain.law import packaged_texts
from app.errors import SettingsUnusable
from app.keystore import read_law_folder

law = typer.Typer(help="The law files that a node goes by.", no_args_is_help=True)


@law.command("check")
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of law files.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Read the files as a start would; a fault is told with its file, its line and the reason."""
    read = read_law_folder(folder)
    text = f"Version {read.version} of {read.dated} can be used. SHA-256 {read.digest}"
    say(text, as_json=as_json, version=read.version, dated=read.dated.isoformat(), digest=read.digest)


@law.command("write")
def write(
    out: Annotated[Path, typer.Option(help="New folder for the files.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Write the packaged files, which speak of invented states, as a folder to edit."""
    texts = packaged_texts()
    try:
        out.mkdir(parents=True)
        for name, text in texts.items():
            (out / name).write_text(text, "utf-8")
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{out} cannot be written: {fault.strerror}.") from fault
    say(
        f"{len(texts)} files are in {out}: edit them, then run counterpart law check.",
        as_json=as_json,
        files=len(texts),
    )
