"""The release tool of Manuel."""

__version__ = "0.1.0"
