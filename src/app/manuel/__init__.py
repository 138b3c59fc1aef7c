"""Manuel, a voice assistant for product manuals: the functions behind its HTTP API.

The modules `health`, `usage`, `manuals`, `query`, `transcribe` and `process_manual` hold the functions' handlers.
What they have in common is in layers: `service` turns an API Gateway event into a
request and an answer or an error into a response; `logic` decides, `store` is the only part that calls AWS.
"""

__version__ = "1.0.0"
