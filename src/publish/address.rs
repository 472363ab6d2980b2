//! Whose an e-mail address in a commit is, as GitLab tells it.

use serde_json::Value;

use super::{PublishError, forge::Facts, http::Call, reviews::Asking};

impl Asking<'_> {
    /// Whose an address is: exactly one user's, or nobody can tell.
    pub(super) async fn gitlab_user(
        &self,
        email: &str,
        facts: &Facts,
    ) -> Result<Option<String>, PublishError> {
        let what = "asking who made a commit";
        if let Some((id, name)) = self.gitlab_private(email, facts) {
            let call = Call::get(what, format!("/users/{id}"));
            let user = match self.http.send(&call).await {
                Err(PublishError::Refused { status: 404, .. }) => return Ok(None),
                user => user?.body,
            };
            let known = user["username"].as_str();
            return Ok(known
                .filter(|known| user["id"] == id && known.eq_ignore_ascii_case(name))
                .map(str::to_owned));
        }
        let mut call = Call::get(what, "/users".to_owned());
        call.query.push(("search", email.to_owned()));
        let answer = self.http.send(&call).await?;
        Ok(match answer.body.as_array().map(Vec::as_slice) {
            Some([user]) => found_by_address(user, email)
                .then(|| user["username"].as_str().map(str::to_owned))
                .flatten(),
            _ => None,
        })
    }

    /// Number and name in an address that this server, and no other, gives to those who show none
    /// of their own.
    fn gitlab_private<'e>(&self, email: &'e str, facts: &Facts) -> Option<(u64, &'e str)> {
        let (local, domain) = email.split_once('@')?;
        let host = domain.strip_prefix("users.noreply.")?;
        let own = [Some(self.place.api.as_str()), facts.url.as_deref()];
        let own = own.into_iter().flatten().any(|own| {
            let own = url::Url::parse(own).ok();
            own.is_some_and(|own| {
                own.host_str()
                    .is_some_and(|own| own.eq_ignore_ascii_case(host))
            })
        });
        let (id, name) = local.split_once('-').filter(|_| own)?;
        Some((id.parse().ok()?, name))
    }
}

/// Whether a search found somebody by their address: it also finds those in whose name the text stands.
fn found_by_address(user: &Value, email: &str) -> bool {
    let email = email.to_lowercase();
    let text = |field: &str| user[field].as_str().map(str::to_lowercase);
    let mut named = ["name", "username"].into_iter().filter_map(text);
    let mut told = ["email", "public_email"].into_iter().filter_map(text);
    email.contains('@')
        && !named.any(|name| name.contains(&email))
        && told.all(|told| told.is_empty() || told == email)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_in_a_name_is_nobodys() {
        let found = |user: Value| found_by_address(&user, "Ann@X.example");
        assert!(found(json!({"username": "ann", "name": "Ann"})));
        assert!(found(json!({"username": "ann", "email": "ann@x.example"})));
        assert!(!found(json!({"username": "eve", "name": "Ann@X.example"})));
        assert!(!found(
            json!({"username": "eve", "name": "ann@x.example", "public_email": ""})
        ));
        assert!(!found(json!({"username": "eve", "email": "eve@x.example"})));
    }
}
