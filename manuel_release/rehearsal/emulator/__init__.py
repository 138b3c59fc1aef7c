"""The program that is the embedded AWS: one pinned ministack plus the pieces that it lacks.

It runs in an environment of its own (`.venv/envs/emulator`), started by `manuel_release.rehearsal.process` as
`python -m manuel_release.rehearsal.emulator`. Only the standard library and ministack are imported here. Each module
replaces one part of ministack, says in `REQUIRES` what it leans on, follows the AWS page named in its docstring, and
is switched on by `install()`.
"""
