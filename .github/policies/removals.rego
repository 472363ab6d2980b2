package main

import rego.v1

violations contains {"rule": "protected", "msg": msg} if {
	some connector in removed
	some name in data.policy.protected
	same_type(name, connector)
	msg := sprintf("%s: it is protected and would be removed", [connector])
}

# Without any of the scopes that it had it is as good as removed. The built-in rules know a scope that includes one
# of these, too.
violations contains {"rule": "protected", "msg": msg} if {
	some connector in stripped
	some name in data.policy.protected
	same_type(name, connector)
	msg := sprintf("%s: it is protected and would lose all its scopes", [connector])
}

violations contains {"rule": "max_removals", "msg": msg} if {
	is_number(data.policy.max_removals)
	count(removed | stripped) > data.policy.max_removals
	msg := sprintf("%d removals; at most %d may be removed", [count(removed | stripped), data.policy.max_removals])
}

violations contains {"rule": "max_removals", "msg": msg} if {
	share := to_number(trim_suffix(data.policy.max_removals, "%"))
	count(removed | stripped) * 100 > present * share
	msg := sprintf("%d removals of %d; at most %d%% may be removed", [count(removed | stripped), present, share])
}

stripped contains change.connector if {
	some app in input.apps
	some change in app.changes
	change.action == "update"
	count([scope | some scope in change.scopes.kept; not lower(scope) in says_who]) == 0
	count([scope | some scope in lost(change); not lower(scope) in says_who]) > 0
}

# A request may write into its settings what a provider adds: that hides nothing here.
lost(change) := array.concat(change.scopes.removed, object.get(change.scopes, "provider_added", []))

# What providers add by themselves, and only says who signed in.
says_who := {
	"openid",
	"email",
	"profile",
	"https://www.googleapis.com/auth/userinfo.email",
	"https://www.googleapis.com/auth/userinfo.profile",
	"identify",
	"oauth",
	"public_profile",
	"user.read",
	"offline_access",
	"id",
	"user.info.basic",
	"account_info.read",
}

present := sum([here(app) | some app in input.apps])

here(app) := total if {
	there := [change | some change in app.changes; change.before != null]
	total := (count(there) + count(app.unmanaged)) + count(object.get(app, "untargeted", []))
}
