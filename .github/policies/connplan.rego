# What all rules have in common. The rules read their limits from `data.policy`: the table [policy] of
# connplan.toml, as JSON. `deny` and `warn` are what conftest looks for.
package main

import rego.v1

# Such as the error of a plan that a rule forbids.
deny contains {"rule": "kind", "msg": "this is not the document of a plan"} if not input.kind == "plan"

deny contains found if {
	some found in violations
	severity(found) == "deny"
	not overridden(found.rule)
}

warn contains found if {
	some found in violations
	severity(found) == "warn"
}

warn contains found if {
	some found in violations
	overridden(found.rule)
}

severity(found) := found.severity

severity(found) := data.policy.rules[found.rule].level if not found.severity

severity(found) := "deny" if {
	not found.severity
	not data.policy.rules[found.rule].level
}

overridden(rule) if {
	data.policy.rules[rule].override
	some by in input.overrides
	by.rule == rule
}

# What a person is asked to consent to: all changes but removals, and what waits.
asked contains change if {
	some app in input.apps
	some change in app.changes
	change.after != null
	change.action != "no-op"
}

asked contains change if {
	some app in input.apps
	some change in app.changes
	change.after != null
	change.authorization == "pending"
}

removed contains change.connector if {
	some app in input.apps
	some change in app.changes
	change.action == "delete"
}

# The entry of a type, in any case of letters, else that of any; a value that is not a table is for all.
limit(setting, connector) := value if {
	is_object(setting)
	some name, value in setting
	same_type(name, connector)
}

limit(setting, connector) := setting["*"] if {
	is_object(setting)
	names := {lower(name) | some name in object.keys(setting)}
	not lower(connector) in names
}

same_type(name, connector) if {
	lower(name) == lower(connector)
}

limit(setting, connector) := setting if not is_object(setting)

# `*` stands for any text.
fits(pattern, text) if {
	plain_text := replace(replace(replace(pattern, ".", "[.]"), "?", "[?]"), "*", ".*")
	regex.match(concat("", ["^", plain_text, "$"]), text)
}
