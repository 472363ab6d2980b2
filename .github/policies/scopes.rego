package main

import rego.v1

violations contains {"rule": "denied_scopes", "msg": msg} if {
	some change in asked
	some scope in change.after.scopes
	some subject, patterns in data.policy.denied_scopes
	holds(subject, change, scope)
	some text in spellings(change, scope)
	denied(patterns, change.connector, text)
	msg := sprintf("%s: the scope %s is denied", [change.connector, scope])
}

# It names no scope, and any is denied.
violations contains {"rule": "denied_scopes", "msg": msg} if {
	some change in asked
	change.default_scopes
	some subject, patterns in data.policy.denied_scopes
	holds(subject, change, "")
	denied(patterns, change.connector, "")
	msg := sprintf("%s: it names no scope, and any scope is denied", [change.connector])
}

violations contains {"rule": "allowed_scopes", "msg": msg} if {
	some change in asked
	some scope in change.after.scopes
	patterns := limit(data.policy.allowed_scopes, change.connector)
	not allowed(patterns, change.connector, scope)
	msg := sprintf("%s: the scope %s is not among those allowed", [change.connector, scope])
}

violations contains {"rule": "allowed_scopes", "msg": msg} if {
	some change in asked
	change.default_scopes
	patterns := limit(data.policy.allowed_scopes, change.connector)
	not allowed(patterns, change.connector, "")
	msg := sprintf("%s: it names none of the scopes that are allowed", [change.connector])
}

# A scope as it stands, and the known one that it may be read as.
spellings(change, scope) := {scope} | {known | known := change.scope_facts[scope].stands_for}

# What is denied is so in every case of letters; what is allowed only as its provider writes it. The built-in
# rules know a scope by its other names, too, and that a scope is denied which includes a denied one: the plan does not
# say what a scope includes.
denied(patterns, connector, scope) if {
	some pattern in patterns
	fits(plain(connector, lower(pattern)), plain(connector, lower(scope)))
}

denied(patterns, connector, scope) if {
	some pattern in patterns
	fits(lower(pattern), lower(scope))
}

# All that the client is registered for.
denied(patterns, connector, scope) if {
	is_microsoft(connector)
	permission(lower(scope)) == ".default"
	count(patterns) > 0
}

# The same permission of another service; `https://SERVICE/*` is about the service.
denied(patterns, connector, scope) if {
	is_microsoft(connector)
	some pattern in patterns
	name := permission(lower(pattern))
	replace(name, "*", "") != ""
	fits(name, permission(lower(scope)))
}

# With Microsoft a scope is SERVICE/PERMISSION.
permission(scope) := regex.replace(trim_right(scope, "/"), "^.*/", "")

allowed(patterns, connector, scope) if {
	not is_microsoft(connector)
	some pattern in patterns
	fits(pattern, scope)
}

allowed(patterns, connector, scope) if {
	is_microsoft(connector)
	some pattern in patterns
	fits(plain(connector, lower(pattern)), plain(connector, lower(scope)))
}

# Whose limits hold a scope: its own type's, those of any, and where it asks for all or nothing bounds it, those of
# each of the provider's types.
holds(subject, change, _) if lower(subject) in [lower(change.connector), "*"]

holds(subject, change, scope) if {
	is_wide(change, scope)
	same_provider(subject, change.connector)
}

same_provider(one, other) if {
	is_microsoft(one)
	is_microsoft(other)
}

same_provider(one, other) if {
	is_google(one)
	is_google(other)
}

same_provider(one, other) if {
	is_facebook(one)
	is_facebook(other)
}

same_provider(one, other) if {
	some types in [{"slack", "slackbot"}, {"jira", "confluence", "atlassian"}]
	lower(one) in types
	lower(other) in types
}

is_google(connector) if startswith(lower(connector), "google")

is_google(connector) if lower(connector) in {"gmail", "youtube"}

is_facebook(connector) if startswith(lower(connector), "facebook")

is_facebook(connector) if lower(connector) in {"instagram", "meta_ads"}

is_wide(change, scope) if {
	is_microsoft(change.connector)
	permission(lower(scope)) == ".default"
}

is_wide(change, scope) if is_unbounded(change.scope_facts[scope])

is_microsoft(connector) if {
	some start in ["microsoft", "outlook", "one_drive", "onedrive", "share_point", "sharepoint"]
	startswith(lower(connector), start)
}

# A scope in lower case without the addresses of Microsoft's Graph that may stand before it.
plain(connector, scope) := scope if not is_microsoft(connector)

plain(connector, scope) := regex.replace(scope, graph, "") if is_microsoft(connector)

graph := "^((https://graph[.]microsoft[.]com|https://graph[.]microsoft[.]us|https://dod-graph[.]microsoft[.]us|https://canary[.]graph[.]microsoft[.]com|https://ags[.]windows[.]net|00000003-0000-0000-c000-000000000000(/ags[.]windows[.]net)?)/+)+"
