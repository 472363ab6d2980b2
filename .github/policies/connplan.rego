# What all rules have in common. The rules read their limits from `data.policy`: the table [policy] of
# connplan.toml, as JSON. `deny` and `warn` are what conftest looks for.
package main

import rego.v1

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

# `*` stands for any text, in either case. The built-in rules know a scope by its other names too.
fits(patterns, scope) if {
	some pattern in patterns
	plain := replace(replace(replace(lower(pattern), ".", "[.]"), "?", "[?]"), "*", ".*")
	regex.match(concat("", ["^", plain, "$"]), lower(scope))
}
