//! Where what a request brings comes from: the run's own repository, or a fork. Untrusted text.

use serde_json::Value;

use super::{RunRepository, Vars};

impl RunRepository {
    /// The repository of a request's branch, as the event or the variables tell it; none where nothing does: a
    /// comment's event, a fork that is gone.
    pub fn of_head(&self, vars: &Vars, event: Option<&Value>) -> Option<Self> {
        let event = event.unwrap_or(&Value::Null);
        // A queue's branches are the repository's own.
        if event["merge_group"].is_object() {
            return Some(self.clone());
        }
        let told = [
            event["pull_request"]["head"]["repo"]["full_name"].as_str(),
            event["workflow_run"]["head_repository"]["full_name"].as_str(),
            vars.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"),
        ];
        let name = told.into_iter().flatten().find(|name| !name.is_empty())?;
        let path = self.url.path().trim_end_matches('/');
        let mut url = self.url.clone();
        url.set_path(&format!("{}{name}", path.strip_suffix(&self.name)?));
        Some(Self {
            url,
            name: name.to_owned(),
            cloned_from: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_head_is_on_the_runs_forge() {
        let vars = |more: &[(&str, &str)]| -> Vars {
            let own = [
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REPOSITORY", "octo/site"),
            ];
            let all = own.iter().chain(more);
            all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let of = |vars: &Vars, event: Value| {
            let run = RunRepository::of(vars).unwrap();
            let head = run.of_head(vars, Some(&event))?;
            Some((
                head.url.to_string(),
                head.is_at("git@github.com:Eve/Site.git"),
            ))
        };
        let fork = json!({"full_name": "eve/site"});
        let eve = || Some(("https://github.com/eve/site".to_owned(), true));
        let plain = vars(&[]);
        assert_eq!(
            of(&plain, json!({"pull_request": {"head": {"repo": fork}}})),
            eve()
        );
        assert_eq!(
            of(&plain, json!({"workflow_run": {"head_repository": fork}})),
            eve()
        );
        assert_eq!(
            of(&plain, json!({"pull_request": {"head": {"repo": null}}})),
            None
        );
        assert_eq!(of(&plain, json!({"issue": {"pull_request": {}}})), None);
        let own = Some(("https://github.com/octo/site".to_owned(), false));
        assert_eq!(of(&plain, json!({"merge_group": {}})), own);
        let gitlab = vars(&[
            ("GITHUB_ACTIONS", ""),
            ("CI_PROJECT_URL", "https://git.example/lab/octo/site"),
            ("CI_PROJECT_PATH", "octo/site"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "eve/site"),
        ]);
        let head = Some(("https://git.example/lab/eve/site".to_owned(), false));
        assert_eq!(of(&gitlab, Value::Null), head);
    }
}
