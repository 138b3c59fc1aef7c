"""Knowledge bases over buckets: ingestion jobs that read them, and searches with metadata filters.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_StartIngestionJob.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html
"""

from __future__ import annotations

import json
import secrets
import string
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.ai import ranking
from manuel_release.rehearsal.ai.wire import AwsError

if TYPE_CHECKING:
    from manuel_release.rehearsal.ai.objects import Objects

SIDE_FILE = ".metadata.json"
INGESTION_SECONDS = 0.3
DEFAULT_RESULTS = 5


@dataclass(frozen=True)
class Piece:
    """A passage in the index, where it is from, and the metadata of its side file."""

    text: str
    uri: str
    metadata: dict[str, Any]


@dataclass
class Base:
    """A knowledge base with its one data source; `job` is the ingestion that began last."""

    data_source: str
    bucket: str
    index: list[Piece] = field(default_factory=list)
    read: list[Piece] = field(default_factory=list)
    job: dict[str, Any] = field(default_factory=dict)
    ready_at: float = 0.0
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)


def new_id() -> str:
    """An id as Bedrock makes them."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(10))


class KnowledgeBases:
    """All knowledge bases of the account."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._bases: dict[str, Base] = {}

    def register(self, bucket: str) -> dict[str, str]:
        """Make a knowledge base over a bucket, which need not exist yet."""
        with self._lock:
            made, base = new_id(), Base(new_id(), bucket)
            self._bases[made] = base
            return {"knowledge_base_id": made, "data_source_id": base.data_source}

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._bases.clear()

    def describe(self, knowledge_base: str) -> dict[str, Any]:
        """GetKnowledgeBase."""
        with self._lock:
            self._base(knowledge_base)
        return {"knowledgeBase": {"knowledgeBaseId": knowledge_base, "name": knowledge_base, "status": "ACTIVE"}}

    def start(self, knowledge_base: str, data_source: str, token: str) -> dict[str, Any]:
        """StartIngestionJob: reads the bucket as it is now; one at a time."""
        with self._lock:
            base = self._base(knowledge_base)
            if data_source != base.data_source:
                raise AwsError(404, "ResourceNotFoundException", f"There is no data source {data_source}.")
            if token and token in base.tokens:
                return {"ingestionJob": base.tokens[token]}
            if time.monotonic() < base.ready_at:
                raise AwsError(409, "ConflictException", "An ingestion job of this data source is in progress.")
            self._settle(base)
            base.read = self._pieces(base.bucket)
            base.ready_at = time.monotonic() + INGESTION_SECONDS
            now = datetime.now(UTC).isoformat()
            base.job = {
                "knowledgeBaseId": knowledge_base,
                "dataSourceId": data_source,
                "ingestionJobId": new_id(),
                "status": "STARTING",
                "startedAt": now,
                "updatedAt": now,
            }
            base.tokens[token] = base.job
            return {"ingestionJob": base.job}

    def retrieve(self, knowledge_base: str, request: dict[str, Any]) -> dict[str, Any]:
        """Retrieve: the passages that pass the filter and share words with the question, best first."""
        search = (request.get("retrievalConfiguration") or {}).get("vectorSearchConfiguration") or {}
        question = (request.get("retrievalQuery") or {}).get("text") or ""
        with self._lock:
            base = self._base(knowledge_base)
            self._settle(base)
            pieces = [piece for piece in base.index if passes(piece.metadata, search.get("filter"))]
        found = sorted(
            zip(ranking.scores(question, [piece.text for piece in pieces]), pieces, strict=True),
            key=lambda one: (-one[0], one[1].uri),
        )
        best = [(score, piece) for score, piece in found if score > 0][: search.get("numberOfResults", DEFAULT_RESULTS)]
        return {"retrievalResults": [_result(score, piece) for score, piece in best]}

    def _base(self, knowledge_base: str) -> Base:
        if knowledge_base not in self._bases:
            raise AwsError(404, "ResourceNotFoundException", f"There is no knowledge base {knowledge_base}.")
        return self._bases[knowledge_base]

    @staticmethod
    def _settle(base: Base) -> None:
        """What an ingestion read can be found once it is complete."""
        if base.ready_at and time.monotonic() >= base.ready_at:
            base.index, base.ready_at = base.read, 0.0

    def _pieces(self, bucket: str) -> list[Piece]:
        found = []
        for key in self._objects.keys(bucket):
            body = self._objects.read(bucket, key)
            if key.endswith(SIDE_FILE) or body is None:
                continue
            side = self._objects.read(bucket, key + SIDE_FILE)
            metadata = json.loads(side)["metadataAttributes"] if side else {}
            text = body.decode(errors="ignore")
            found += [Piece(piece, f"s3://{bucket}/{key}", metadata) for piece in ranking.passages(text)]
        return found


def passes(metadata: dict[str, Any], wanted: dict[str, Any] | None) -> bool:
    """Whether metadata passes a RetrievalFilter; an attribute that is missing passes nothing but a negation."""
    if not wanted:
        return True
    ((operator, value),) = wanted.items()
    if operator in {"andAll", "orAll"}:
        return (all if operator == "andAll" else any)(passes(metadata, one) for one in value)
    if operator not in {"equals", "notEquals", "in", "notIn"}:
        raise AwsError(400, "ValidationException", f"The filter {operator} is not known here.")
    has = metadata.get(value["key"])
    same = has in value["value"] if operator in {"in", "notIn"} else has == value["value"]
    return same == (operator in {"equals", "in"})


def _result(score: float, piece: Piece) -> dict[str, Any]:
    return {
        "content": {"type": "TEXT", "text": piece.text},
        "location": {"type": "S3", "s3Location": {"uri": piece.uri}},
        "metadata": piece.metadata,
        "score": score,
    }
