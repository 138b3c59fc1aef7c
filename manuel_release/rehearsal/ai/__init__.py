"""Bedrock and Transcribe as far as the service calls them, answered from what users uploaded; the service cannot tell.

A small HTTP server of its own (`server`), which functions reach through AWS_ENDPOINT_URL_BEDROCK_RUNTIME and the like.
It answers from the objects in the embedded S3 (`objects`): a knowledge base reads the manuals and their side files when
an ingestion runs and ranks passages by the words that they share with a question (`knowledge`, `ranking`), a model
replies with a sentence of the passages in its prompt (`model`), and Transcribe hears what a recording carries as text
(`speech`). Faults can be planned over HTTP (`faults`). Standard library only.
"""
