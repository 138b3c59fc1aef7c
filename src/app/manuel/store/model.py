"""The model in Bedrock that writes answers.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from typing import Any

import boto3

from manuel.models import Completion
from manuel.store.clients import BUSY, Dependency, config

ANSWER_SECONDS = 12.0
ATTEMPTS = 3
MAX_TOKENS = 512


class TextModel:
    """One model. `throttles` counts the attempts that Bedrock turned away, those that were repeated too."""

    def __init__(self, model_id: str, dependency: Dependency | None = None) -> None:
        self._model_id = model_id
        self._dependency = dependency or Dependency("The model", attempts=ATTEMPTS)
        self._client: Any = boto3.client("bedrock-runtime", config=config(seconds=ANSWER_SECONDS, attempts=1))
        self._client.meta.events.register("response-received.bedrock-runtime", self._received)
        self.throttles = 0

    def complete(self, instructions: str, message: str) -> Completion:
        """What the model replies to a message; raises DependencyUnavailableError."""
        self.throttles = 0
        answer = self._dependency.call(
            lambda: self._client.converse(
                modelId=self._model_id,
                system=[{"text": instructions}],
                messages=[{"role": "user", "content": [{"text": message}]}],
                inferenceConfig={"maxTokens": MAX_TOKENS, "temperature": 0.0},
            )
        )
        text = "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
        return Completion(text.strip(), answer["usage"]["inputTokens"], answer["usage"]["outputTokens"])

    def _received(self, parsed_response: dict[str, Any] | None = None, **_: object) -> None:
        if parsed_response and parsed_response.get("Error", {}).get("Code") in BUSY:
            self.throttles += 1
