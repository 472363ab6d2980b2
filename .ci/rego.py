"""Holds plans against the policies in .github/policies, as OPA and conftest do.

Standard input is a list of {"plan": ..., "policy": ...}; standard output a list of {"deny": [RULE...],
"warn": [RULE...]}. Needs `regopy`.
"""

import json
import pathlib
import sys

from regopy import Interpreter

POLICIES = sorted(pathlib.Path(".github/policies").glob("*.rego"))


def rules(engine, which):
    answer = json.loads(str(engine.query(f"data.main.{which}")))
    return sorted({found["rule"] for found in answer["expressions"][0]})


def judged(case):
    engine = Interpreter()
    for path in POLICIES:
        engine.add_module(path.name, path.read_text())
    engine.add_data({"policy": case["policy"]})
    engine.set_input(case["plan"])
    return {which: rules(engine, which) for which in ("deny", "warn")}


json.dump([judged(case) for case in json.load(sys.stdin)], sys.stdout)
