"""Manuel, a voice assistant for product manuals: the functions behind its HTTP API.

A module per function (`health`, `usage`, `manuals`) holds its handler. `service` turns an API Gateway event into a
request and an answer or an error into a response; `logic` decides, `store` is the only part that calls AWS.
"""

__version__ = "1.0.0"
