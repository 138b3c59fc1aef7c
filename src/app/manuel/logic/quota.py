"""Quotas: so many operations in a UTC day and in a UTC month."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from manuel.errors import QuotaExceededError

if TYPE_CHECKING:
    from manuel.models import Limits, Usage


def next_day(now: datetime) -> datetime:
    """When the daily quota is fresh again."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def next_month(now: datetime) -> datetime:
    """When the monthly quota is fresh again."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def report(usage: Usage, limits: Limits, now: datetime) -> dict[str, Any]:
    """What a user used and may still use, as the API says it."""
    return {
        "daily": _period(usage.daily, limits.daily, next_day(now)),
        "monthly": _period(usage.monthly, limits.monthly, next_month(now)),
    }


def exceeded(usage: Usage, limits: Limits, now: datetime) -> QuotaExceededError:
    """The refusal for a user who has nothing left; the month is named when it is what is used up."""
    monthly = usage.monthly >= limits.monthly
    fresh = next_month(now) if monthly else next_day(now)
    period, limit = ("month", limits.monthly) if monthly else ("day", limits.daily)
    seconds = max(1, int((fresh - now).total_seconds()))
    return QuotaExceededError(f"All {limit} operations of this {period} are used.", retry_after=seconds)


def _period(used: int, limit: int, resets_at: datetime) -> dict[str, Any]:
    return {"used": used, "limit": limit, "remaining": max(0, limit - used), "resets_at": resets_at.isoformat()}
