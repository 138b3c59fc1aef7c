"""CodePipeline, which ministack lacks: it walks a pipeline as AWS does, with its gates, waits, failures and retries.

`service` answers the API; `declaration`, `action_types` and `variables` need no server. Sources are revisions that
somebody puts here (`sources`); builds are really run (`codebuild`). Not emulated, and refused: PARALLEL mode,
triggers on pull requests, custom and third-party actions, cross-region actions, Commands.
What a role may do is looked up in its own policies; policies of buckets, topics and keys are not looked at.
"""
