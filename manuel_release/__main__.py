"""`python -m manuel_release`, and what the `manuel-release` script calls."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with one of the exit codes of `manuel_release.errors`."""
    from manuel_release.cli import root  # noqa: PLC0415 - importing this module runs nothing

    root.main(prog_name="manuel-release")


if __name__ == "__main__":
    main()
