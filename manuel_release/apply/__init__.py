"""The only code that changes anything: one function per kind of step, each looks at the world before it acts.

Running a step again after it was done, or half done, changes nothing more and says `skipped`.
"""
