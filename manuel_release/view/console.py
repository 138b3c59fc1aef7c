"""The only voice of the tool: the answer goes to stdout, everything else to stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from manuel_release.errors import UsageError
from manuel_release.model.options import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console, RenderableType
    from rich.text import Text

    from manuel_release.errors import ReleaseError
    from manuel_release.model.options import GlobalOptions

SCHEMA_VERSION = 1
_UNLIMITED = 10_000  # columns in a pipe: one row is one line, for grep


class Screen:
    """Where a command's words go.

    interactive: whether a person can be asked; by default when stdin and stderr are a terminal and this is not CI.
    width: columns of drawings; by default the terminal's, and no limit in a pipe.
    ci: this runs in a build service, whose log shows no moving lines.
    """

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        stdin: TextIO | None = None,
        *,
        json_output: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        interactive: bool | None = None,
        ci: bool = False,
        width: int | None = None,
        no_color: bool = False,
        dumb: bool = False,
    ) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.stdin = stdin
        self.json_output = json_output
        self.quiet = quiet
        self.verbose = verbose
        self.ci = ci
        self.interactive = interactive if interactive is not None else _terminal(stdin) and _terminal(stderr) and not ci
        self.live = _terminal(stderr) and not ci and not dumb
        self._width = width
        self._plain = no_color or dumb
        self._above: Callable[[Text], None] | None = None
        self._closing: Callable[[], None] | None = None

    @classmethod
    def from_options(
        cls,
        options: GlobalOptions,
        *,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
    ) -> Screen:
        """The screen of one invocation; reads NO_COLOR, TERM, COLUMNS, CI and CODEBUILD_BUILD_ID from `environ`."""
        columns = environ.get("COLUMNS", "")
        return cls(
            stdout,
            stderr,
            stdin,
            json_output=options.output is Output.JSON,
            quiet=options.quiet,
            verbose=options.verbose,
            ci=environ.get("CI", "").lower() in {"true", "1"} or "CODEBUILD_BUILD_ID" in environ,
            width=int(columns) if columns.isdecimal() and int(columns) > 0 else None,
            no_color=options.no_color or bool(environ.get("NO_COLOR")),
            dumb=environ.get("TERM") == "dumb",
        )

    def answer(self, document: Mapping[str, Any]) -> None:
        """Print the document on stdout when JSON was asked for; nothing otherwise."""
        if self.json_output:
            text = json.dumps(document, indent=2, ensure_ascii=not _unicode(self.stdout))
            _write(self.stdout, f"{text}\n")

    def show(self, drawing: RenderableType) -> None:
        """Draw a screen on stdout when a person reads it; nothing when JSON was asked for."""
        if not self.json_output:
            self._draw(self.stdout, drawing)

    def verbatim(self, text: str) -> None:
        """Print on stdout what another program reads, as it is; nothing when JSON was asked for."""
        if not self.json_output:
            _write(self.stdout, f"{text}\n")

    def aside(self, drawing: RenderableType) -> None:
        """Draw on stderr what a person looks at before the answer, such as a plan that is asked about next.

        Not with --quiet or JSON, unless somebody is there who may be asked.
        """
        if self.interactive or not (self.json_output or self.quiet):
            self._draw(self.stderr, drawing)

    def _draw(self, stream: TextIO, drawing: RenderableType) -> None:
        console = self.console(stream)
        with console.capture() as drawn:
            console.print(drawing)
        text = drawn.get()
        if not _terminal(stream):  # a table's padding is of no use in a file
            text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
        _write(stream, text)

    def say(self, text: str) -> None:
        """A line for the person, on stderr; not with --quiet."""
        if not self.quiet:
            self.line(text)

    def trace(self, text: str) -> None:
        """A line for the person who looks for a fault, on stderr; only with --verbose."""
        if self.verbose:
            self.line(text, colour="bright_black")

    def warn(self, text: str) -> None:
        """Something to know before going on, on stderr; with --quiet too."""
        self.line(text, lead="Warning: ", colour="yellow")

    def error(self, error: ReleaseError) -> None:
        """Why the command ended without its answer: one JSON document on stdout, or two lines on stderr."""
        self.close()
        told = {"code": error.code, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        if self.json_output:
            self.answer({"schema_version": SCHEMA_VERSION, "error": told})
            return
        self.line(error.message, lead="Error: ", colour="red")
        if error.hint:
            self.line(error.hint, lead="Next: ")

    def ask(self, question: str) -> bool:
        """A person's yes or no, asked on stderr; an empty line and the end of the input are no.

        Raises:
            UsageError: nobody can be asked here.
        """
        if not self.interactive or self.stdin is None:
            raise UsageError(
                f"this needs a yes and nobody can be asked here: {question}",
                hint="Look at it with --dry-run, then run the same command with --yes.",
            )
        while True:
            _write(self.stderr, f"{question} [y/N] ")
            answer = self.stdin.readline()
            if answer.strip().lower() in {"y", "yes"}:
                return True
            if answer.strip().lower() in {"", "n", "no"}:
                if not answer:
                    _write(self.stderr, "\n")
                return False

    def line(self, text: str, *, lead: str = "", colour: str = "") -> None:
        """A line on stderr, above a moving line if there is one; never wrapped, so that commands can be copied.

        `colour` is the lead's, or the whole line's where there is no lead.
        """
        if self._above is None and (not colour or self._plain or not _terminal(self.stderr)):
            _write(self.stderr, f"{lead}{text}\n")
            return
        from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

        drawn = Text.assemble((self.fit(lead), colour), (self.fit(text), "" if lead else colour))
        if self._above is not None:
            self._above(drawn)
        else:
            self.console(self.stderr).print(drawn, soft_wrap=True)

    def console(self, stream: TextIO) -> Console:
        """Rich's console on a stream, with what this screen knows of its colours and width."""
        from rich.console import Console  # noqa: PLC0415 - `--help` and JSON never load rich

        terminal = _terminal(stream)
        return Console(
            file=stream,
            force_terminal=terminal,
            color_system="auto" if terminal and not self._plain else None,
            no_color=self._plain,
            width=self._width or (None if terminal else _UNLIMITED),
            highlight=False,
            markup=False,
            emoji=False,
        )

    @property
    def ascii_only(self) -> bool:
        """Whether stderr cannot show more than ASCII."""
        return not _unicode(self.stderr)

    def fit(self, text: str) -> str:
        """The text as stderr's encoding can show it."""
        return _fit(self.stderr, text)

    def hold(self, above: Callable[[Text], None] | None, closing: Callable[[], None]) -> None:
        """A progress begins: `above` prints over its moving line, `closing` ends it when all else failed."""
        self.close()
        self._above, self._closing = above, closing

    def release(self) -> None:
        """The progress has ended by itself."""
        self._above, self._closing = None, None

    def close(self) -> None:
        """End a progress that an error left running; safe to call twice."""
        closing = self._closing
        self.release()
        if closing is not None:
            closing()


def _terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def _fit(stream: TextIO, text: str) -> str:
    """What the stream's encoding cannot show becomes `?` instead of an exception."""
    return text if _unicode(stream) else text.encode(stream.encoding, "replace").decode(stream.encoding)


def _write(stream: TextIO, text: str) -> None:
    stream.write(_fit(stream, text))
    stream.flush()
