"""The embedded AWS and what runs on it.

Only the commands `cloud` and `rehearse` import this package; nothing else in the product knows that it exists.
"""
