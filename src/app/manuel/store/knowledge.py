"""The manuals' text in a Bedrock knowledge base: searching one user's, and having new ones read.

https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-config.html (search type, metadata filter)
https://docs.aws.amazon.com/bedrock/latest/userguide/kb-data-source-sync-ingest.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.exceptions

from manuel.errors import NotConfiguredError
from manuel.logic import manuals
from manuel.models import Passage
from manuel.store.clients import Dependency, config

SEARCH_SECONDS = 4.0
INGESTION_SECONDS = 5.0
ATTEMPTS = 3
PASSAGES = 6
OWNER = "user_id"  # the metadata attribute that the side file of each manual carries


class KnowledgeBase:
    """Searches the knowledge base."""

    def __init__(self, knowledge_base: str, dependency: Dependency | None = None) -> None:
        self._knowledge_base = knowledge_base
        self._dependency = dependency or Dependency("The search in manuals", attempts=ATTEMPTS)
        self._client: Any = boto3.client("bedrock-agent-runtime", config=config(seconds=SEARCH_SECONDS, attempts=1))

    def require(self) -> None:
        """Raise NotConfiguredError where there is no knowledge base."""
        if not self._knowledge_base:
            raise NotConfiguredError("This environment has no knowledge base to search in.")

    def search(self, user_id: str, question: str) -> list[Passage]:
        """The passages of this user's manuals that fit the question best; raises DependencyUnavailableError."""
        answer = self._dependency.call(
            lambda: self._client.retrieve(
                knowledgeBaseId=self._knowledge_base,
                retrievalQuery={"text": question},
                retrievalConfiguration={
                    "vectorSearchConfiguration": {
                        "numberOfResults": PASSAGES,
                        "overrideSearchType": "HYBRID",
                        "filter": {"equals": {"key": OWNER, "value": user_id}},
                    }
                },
            )
        )
        found = (_passage(user_id, result) for result in answer["retrievalResults"])
        return [passage for passage in found if passage is not None]


class Ingestion:
    """Has the knowledge base read what changed in the manuals bucket."""

    def __init__(self, knowledge_base: str, data_source: str, dependency: Dependency | None = None) -> None:
        self._ids = {"knowledgeBaseId": knowledge_base, "dataSourceId": data_source}
        self._dependency = dependency or Dependency("The knowledge base", attempts=ATTEMPTS)
        self._client: Any = boto3.client("bedrock-agent", config=config(seconds=INGESTION_SECONDS, attempts=1))

    @property
    def configured(self) -> bool:
        """Whether there is a knowledge base."""
        return all(self._ids.values())

    def start(self, token: str) -> bool:
        """Start a job, the same one for the same token (33 to 256 characters); False when another one is running."""
        try:
            self._dependency.call(lambda: self._client.start_ingestion_job(**self._ids, clientToken=token))
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ConflictException":
                return False
            raise
        return True


def _passage(user_id: str, result: dict[str, Any]) -> Passage | None:
    """A result as a passage; None unless both its metadata and where it is kept say that it is the user's."""
    key = urlsplit(result.get("location", {}).get("s3Location", {}).get("uri", ""), allow_fragments=False).path[1:]
    owned = manuals.owner(key)
    text = result.get("content", {}).get("text", "")
    if owned is None or owned.user_id != user_id or result.get("metadata", {}).get(OWNER) != user_id or not text:
        return None
    return Passage(text, owned.manual_id, owned.file_name, float(result.get("score", 0.0)))
