"""Bodies that are too large, broken, or not what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.config import Config
    from integration.suites.person import Person

POSTS = ("/api/query", "/api/transcribe", "/api/manuals/upload")
BROKEN = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"42",
    b"{'question': 'x'}",
    b'{"question": "x"',
    b'{"question": NaN}',
    b"\xff\xfe\x00",
    b"\x00" * 64,
    b"[" * 10_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    b'{"question": "\\ud800"}',
    b'{"question": 1e9999}',
    b'{"__proto__": {"admin": true}}',
]


@pytest.mark.basic
@pytest.mark.parametrize("path", POSTS)
def test_a_broken_body_is_refused(person: Person, path: str) -> None:
    for data in BROKEN:
        reply = person.ask("POST", path, data=data, headers=[("Content-Type", "application/json")])
        promises.harmless(reply, 400, 413)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "x", ""])
def test_the_content_type_opens_no_other_parser(person: Person, content_type: str) -> None:
    reply = person.ask("POST", "/api/query", data=b"<a/>", headers=[("Content-Type", content_type)])

    promises.harmless(reply, 400, 415)


@pytest.mark.basic
def test_a_field_that_nobody_knows_is_refused(person: Person) -> None:
    fields = {
        "/api/query": {"question": "What?", "user_id": "somebody-else"},
        "/api/manuals/upload": {"file_name": "a.txt", "size_bytes": 1, "user_id": "somebody-else"},
        "/api/transcribe": {"audio_data": "AAAA", "content_type": "audio/wav", "bucket": "other"},
    }
    for path, body in fields.items():
        promises.harmless(person.ask("POST", path, body), 400)


@pytest.mark.basic
def test_a_body_that_is_too_large_is_refused(person: Person, config: Config) -> None:
    padded = {
        "/api/query": {"question": "x", "padding": "y" * 20_000},
        "/api/manuals/upload": {"file_name": "a.txt", "size_bytes": 1, "padding": "y" * 20_000},
    }
    for path, body in padded.items():
        promises.harmless(person.ask("POST", path, body), 413 if config.advanced_security else 400)


def test_a_recording_that_is_too_large_is_refused(person: Person) -> None:
    body = {"audio_data": "A" * 5_700_000, "content_type": "audio/wav"}  # 4.1 MiB of audio

    promises.harmless(person.ask("POST", "/api/transcribe", body), 413)


def test_a_recording_that_is_none_is_refused(person: Person, config: Config) -> None:
    if not config.advanced_security:
        pytest.skip("contents are checked where EnableAdvancedSecurity is true")
    before = person.used()
    for content_type in ("audio/wav", "audio/mp4", "audio/webm"):
        reply = person.say(b"MZ this is a program, not a recording", content_type)
        promises.harmless(reply, 400)
    assert person.used() == before, "it got as far as to a transcription"


def test_invisible_characters_in_a_question_are_refused(person: Person, config: Config) -> None:
    if not config.advanced_security:
        pytest.skip("contents are checked where EnableAdvancedSecurity is true")
    for text in ("a\u0007b", "a\u202eb", "a\u200bb"):
        promises.harmless(person.query(text), 400)


def test_a_key_that_comes_twice_means_one_thing(person: Person) -> None:
    data = json.dumps({"question": "x"})[:-1].encode() + b', "question": ""}'

    promises.harmless(
        person.ask("POST", "/api/query", data=data, headers=[("Content-Type", "application/json")]), 200, 400
    )
