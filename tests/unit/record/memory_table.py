"""The ledger's table in memory: the same conditions as DynamoDB's, which `test_ledger.py` runs against both."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = dict[str, Any]


class MemoryTable:
    """Items by (environment, entry)."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._lock = threading.Lock()

    def put_new(self, item: Item) -> bool:
        with self._lock:
            key = (item["environment"], item["entry"])
            return self.items.setdefault(key, copy.deepcopy(item)) == item

    def put_if_free(self, item: Item, now: str | float, token: str) -> Item | None:
        with self._lock:
            key = (item["environment"], item["entry"])
            there = self.items.get(key)
            if there is not None and there["token"] != token and there.get("expires_at", now) >= now:
                return copy.deepcopy(there)
            self.items[key] = copy.deepcopy(item)
            return None

    def replace_if(self, item: Item, token: str) -> bool:
        with self._lock:
            key = (item["environment"], item["entry"])
            if self.items.get(key, {}).get("token") != token:
                return False
            self.items[key] = copy.deepcopy(item)
            return True

    def delete_if(self, pk: str, sk: str, token: str) -> bool:
        with self._lock:
            if self.items.get((pk, sk), {}).get("token") != token:
                return False
            del self.items[pk, sk]
            return True

    def get(self, pk: str, sk: str) -> Item | None:
        with self._lock:
            return copy.deepcopy(self.items.get((pk, sk)))

    def query(self, pk: str, prefix: str, newest_first: bool = False, limit: int | None = None) -> Iterator[Item]:
        with self._lock:
            keys = sorted(
                (key for key in self.items if key[0] == pk and key[1].startswith(prefix)), reverse=newest_first
            )
            found = [copy.deepcopy(self.items[key]) for key in keys[:limit]]
        yield from found
