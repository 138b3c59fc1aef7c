"""Quality gates: whether what the suites measured is good enough; pure, no AWS and no screen."""
