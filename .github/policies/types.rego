# The built-in rules also hold a scope that is for another type of the same provider to what is said of that type; the
# plan does not say which that is.
package main

import rego.v1

violations contains {"rule": "allowed_types", "msg": msg} if {
	some change in asked
	data.policy.allowed_types
	count([name | some name in data.policy.allowed_types; same_type(name, change.connector)]) == 0
	msg := sprintf("%s: the type is not among those allowed", [change.connector])
}

violations contains {"rule": "denied_types", "msg": msg} if {
	some change in asked
	some name in data.policy.denied_types
	same_type(name, change.connector)
	msg := sprintf("%s: the type is denied", [change.connector])
}
