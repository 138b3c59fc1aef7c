"""Looks at everything that a release needs: this machine, the account, and each environment.

A check is a function that yields Check values; one that raises is a result too, so the doctor always ends with a
report. Nothing is changed: CloudFormation's drift detection, which is started here, only reads.
"""
