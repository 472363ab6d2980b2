package main

import rego.v1

# Ceilings judge every scope that a connector would have, not only those that are added.
violations contains {"rule": "max_class", "msg": msg} if {
	some change in asked
	some scope, fact in facts(change)
	has_class(fact)
	some most in ceilings(data.policy.max_class, change, scope)
	classes[class(fact)] > classes[most]
	msg := sprintf("%s: the scope %s is %s; at most %s is allowed", [change.connector, scope, class(fact), most])
}

violations contains {"rule": "max_access", "msg": msg} if {
	some change in asked
	some scope, fact in facts(change)
	some most in ceilings(data.policy.max_access, change, scope)
	accesses[reach(fact)] > accesses[most]
	msg := sprintf("%s: the scope %s gives %s access; at most %s is allowed", [change.connector, scope, reach(fact), most])
}

violations contains {"rule": "unknown_scopes", "msg": msg, "severity": unknown(change, scope)} if {
	some change in asked
	some scope, fact in facts(change)
	not is_known(fact)
	msg := sprintf("%s: the scope %s is of a class or access that is not known", [change.connector, scope])
}

# No scope is one that nobody knows: it is what the provider gives then.
violations contains {"rule": "unknown_scopes", "msg": msg, "severity": unknown(change, "")} if {
	some change in asked
	change.default_scopes
	msg := sprintf("%s: it names no scope, and what the provider gives then is not known", [change.connector])
}

# The stricter of both settings. Where there is a ceiling and nothing is said of them, they are told.
unknown(_, _) := "deny" if "deny" in said_of_unknown

unknown(_, _) := "warn" if said_of_unknown == {"warn"}

unknown(change, scope) := "warn" if {
	count(said_of_unknown) == 0
	has_ceiling(change, scope)
}

said_of_unknown contains data.policy.unknown_scopes

said_of_unknown contains data.policy.rules.unknown_scopes.level

has_ceiling(change, scope) if count(ceilings(data.policy.max_class, change, scope)) > 0

has_ceiling(change, scope) if count(ceilings(data.policy.max_access, change, scope)) > 0

# Nobody knows whether what is denied is among what the provider gives.
has_ceiling(change, "") if {
	some name, _ in data.policy.denied_scopes
	same_type(name, change.connector)
}

# What a setting says of the type, and of each other type whose limits hold the scope.
ceilings(setting, change, scope) := own_ceiling(setting, change) | their_ceilings(setting, change, scope)

own_ceiling(setting, change) := {most | most := limit(setting, change.connector)}

their_ceilings(setting, change, scope) := {setting[name] | some name in named_types(setting); holds(name, change, scope)}

named_types(setting) := object.keys(setting) - {"*"} if is_object(setting)

named_types(setting) := set() if not is_object(setting)

facts(change) := {scope: change.scope_facts[scope] | some scope in change.after.scopes}

is_known(fact) if {
	fact.known
	not fact.class_unpublished
}

has_class(fact) if is_known(fact)

has_class(fact) if is_unbounded(fact)

# It counts as the one that it may be read as.
has_class(fact) if {
	fact.stands_for
	not fact.class_unpublished
}

# Another service's, and not known: it may be all.
is_unbounded(fact) if {
	not fact.known
	fact.reaches
	not fact.stands_for
}

# It counts as far as the furthest scope that it includes.
reach(fact) := fact.reaches

reach(fact) := fact.access if not fact.reaches

classes := {"none": 0, "sensitive": 1, "restricted": 2}

accesses := {"identity": 0, "read": 1, "write": 2, "admin": 3}

# The providers' words.
class(fact) := "restricted" if fact.class in {"restricted", "highly-sensitive", "admin-consent", "private"}

class(fact) := "sensitive" if fact.class in {"sensitive", "approval", "on-request"}

class(fact) := "restricted" if is_unbounded(fact)

class(fact) := "none" if {
	not is_unbounded(fact)
	not fact.class in {
		"restricted", "highly-sensitive", "admin-consent", "private", "sensitive", "approval", "on-request",
	}
}
