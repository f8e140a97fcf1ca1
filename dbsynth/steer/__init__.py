"""Steering: classes made commoner, conditions on rows, outcomes made fair, and what came of it.

`wishes` understands what the spec asks for, `hand` draws so, `effect` measures what was reached.
"""
