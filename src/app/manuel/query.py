"""`POST /api/query`: answer a question from the caller's own manuals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from manuel.http import Request, Response
from manuel.logic import questions, quota
from manuel.models import Limits, Passage, Usage
from manuel.service import Service
from manuel.settings import Settings
from manuel.store.knowledge import KnowledgeBase
from manuel.store.model import TextModel
from manuel.store.rate_limit import limiter
from manuel.store.usage import UsageStore

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 16 * 1024


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return service().serve(event, context)


@cache
def service() -> Service:
    """The function's routes, made once per sandbox."""
    settings = Settings.read()
    endpoint = Endpoint(
        knowledge=KnowledgeBase(settings.knowledge_base),
        model=TextModel(settings.text_model),
        usage=UsageStore(settings.usage_table),
        limits=Limits(settings.daily_quota, settings.monthly_quota),
        secure=settings.advanced_security,
    )
    return Service(settings, {"POST /api/query": endpoint.query}, limiter(settings))


@dataclass(frozen=True)
class Endpoint:
    """What the route needs; a question counts as one operation of the caller's quota, unless we fail to answer it."""

    knowledge: KnowledgeBase
    model: TextModel
    usage: UsageStore
    limits: Limits
    secure: bool

    def query(self, request: Request) -> Response:
        """Answer, with the manuals that the answer is from."""
        user_id = request.user_id
        body = request.json_object(at_most=MAX_BODY_BYTES if self.secure else None)
        question = questions.parse(body, strict=self.secure)
        self.knowledge.require()
        now = datetime.now(UTC)
        usage = self.usage.take(user_id, now, self.limits)
        request.measures.count("QuerySuccess", 0)
        try:
            passages = self._search(request, user_id, question)
            text = self._write(request, question, passages) if passages else ""
        except Exception:
            self.usage.give_back(user_id, now)
            raise
        request.measures.count("QuerySuccess", 1)
        return self._answer(text, passages, usage, now)

    def _search(self, request: Request, user_id: str, question: str) -> list[Passage]:
        with request.measures.milliseconds("KnowledgeBaseDuration"):
            passages = self.knowledge.search(user_id, question)
        request.measures.count("KnowledgeBaseResults", len(passages))
        return passages

    def _write(self, request: Request, question: str, passages: list[Passage]) -> str:
        try:
            with request.measures.milliseconds("BedrockDuration"):
                written = self.model.complete(questions.INSTRUCTIONS, questions.prompt(question, passages))
        finally:
            request.measures.count("BedrockThrottles", self.model.throttles)
        request.measures.count("BedrockInputTokens", written.input_tokens)
        request.measures.count("BedrockOutputTokens", written.output_tokens)
        return written.text

    def _answer(self, text: str, passages: list[Passage], usage: Usage, now: datetime) -> Response:
        known = questions.answered(text)
        body = {
            "answer": text if known else questions.I_DO_NOT_KNOW,
            "sources": questions.sources(passages) if known else [],
            "context_used": len(passages) if known else 0,
            "usage": quota.report(usage, self.limits, now),
        }
        return Response(200, body)
