"""What an account has before its first release and no template makes: a knowledge base for each environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from manuel_release.errors import EmulatorError
from manuel_release.rehearsal import workspace
from manuel_release.rehearsal.process import ACCOUNT_ID
from manuel_release.rehearsal.visitor import send

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.rehearsal.process import EmbeddedCloud


def register(cloud: EmbeddedCloud, environment: str) -> dict[str, str]:
    """Make a knowledge base over an environment's manuals bucket; the template's parameters that name it."""
    bucket = f"manuel-manuals-{environment}-{ACCOUNT_ID}-{cloud.options.region}"
    reply = send("POST", f"{cloud.ai_endpoint}/_rehearsal/knowledge-bases", body={"bucket": bucket})
    if reply.status != 200:
        raise EmulatorError(f"no knowledge base for {environment}: {reply.status} {reply.body}")
    return {"KnowledgeBaseId": reply.body["knowledge_base_id"], "DataSourceId": reply.body["data_source_id"]}


def prepare(cloud: EmbeddedCloud, folder: Path) -> None:
    """Make the knowledge bases, and write their ids where an account's owner does: into the parameter files.

    Several files may be for one environment, as variants of it are; they have one knowledge base.
    """
    known: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("parameters-*.json")):
        values = json.loads(path.read_text(encoding="utf-8"))
        environment = values["Environment"]
        if environment not in known:
            known[environment] = register(cloud, environment)
        values.update(known[environment])
        path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    workspace.commit(folder, "the knowledge bases of this account")
