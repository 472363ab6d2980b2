# The built-in rule also asks for the account of another type whose scope is asked for; the plan does not say which that is.
package main

import rego.v1

violations contains {"rule": "accounts", "msg": msg} if {
	some change in asked
	change.kind == "oauth"
	expected := limit(data.policy.accounts, change.connector)
	not agrees(change, expected)
	msg := sprintf("%s: %s is to consent, and the plan does not say so", [change.connector, expected])
}

agrees(change, expected) if lower(change.after.account) == lower(expected)

# "@example.com" is anybody there.
agrees(change, expected) if {
	startswith(expected, "@")
	endswith(lower(change.after.account), lower(expected))
}
