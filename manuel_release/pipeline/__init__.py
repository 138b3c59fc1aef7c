"""The pipeline without AWS: pipeline.yaml, operations.yaml, buildspecs and Makefile as one model, and its checks."""
