"""CodeBuild, which ministack only pretends: a build here runs the real buildspec, in a shell, with the project's role.

A build is a program of whoever wrote the buildspec and runs on this machine with the rights of the user who started
the embedded AWS: not in a container, without an image, on the host's processor. That is why the server listens on
127.0.0.1 only, and why nobody should rehearse a buildspec that they would not run by hand.
`service` answers the API; `buildspec`, `shell`, `phases`, `files` and `report_files` need no server.
"""
