package main

import rego.v1

violations contains {"rule": "denied_scopes", "msg": msg} if {
	some change in asked
	some scope in change.after.scopes
	some subject, patterns in data.policy.denied_scopes
	lower(subject) in [lower(change.connector), "*"]
	fits(patterns, scope)
	msg := sprintf("%s: the scope %s is denied", [change.connector, scope])
}

violations contains {"rule": "allowed_scopes", "msg": msg} if {
	some change in asked
	some scope in change.after.scopes
	patterns := limit(data.policy.allowed_scopes, change.connector)
	not fits(patterns, scope)
	msg := sprintf("%s: the scope %s is not among those allowed", [change.connector, scope])
}
