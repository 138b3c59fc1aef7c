"""Pure decisions: (request, observed state, settings, now) -> a plan, nothing to do, or a refusal. No AWS, no clock."""
