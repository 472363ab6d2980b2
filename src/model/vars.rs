//! The variables that steer a run, as a value.

use std::collections::BTreeMap;

use super::map_of;

/// The forges' runners, which say so themselves.
const FORGES: [&str; 2] = ["GITHUB_ACTIONS", "GITLAB_CI"];

/// What runners that do not set `CI` are known by: Azure Pipelines, Jenkins, `TeamCity`, `CodeBuild`, Bamboo.
const WITHOUT: [&str; 5] = [
    "TF_BUILD",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "CODEBUILD_BUILD_ID",
    "bamboo_buildKey",
];

/// Environment variables: the process's own, or those merged with the project's `.env` files.
/// Read once at the edge and passed on, so that nothing else asks the process.
#[derive(Clone, Default)]
pub struct Vars(BTreeMap<String, Var>);

#[derive(Clone)]
struct Var {
    value: String,
    origin: SetBy,
}

/// Who says so. A file of a checkout is somebody's proposal: what it says has less power than what
/// the user of the process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The environment of the process.
    Process,
    /// A file of the project.
    File {
        /// Relative to the project's root; escape before showing.
        file: String,
        /// Counted from 1.
        line: usize,
    },
}

impl SetBy {
    /// Whether a file of the project says so.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

impl Vars {
    /// The variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|var| var.value.as_str())
            .filter(|value| !value.trim().is_empty())
    }

    /// Where GitHub's or GitLab's runner says that its checkout is.
    pub fn checkout_folders(&self) -> impl Iterator<Item = &str> {
        let names = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].into_iter();
        names.filter_map(|name| self.get(name))
    }

    /// Where another runner works: in what it checked out or unpacked, or around that.
    pub fn work_folders(&self) -> impl Iterator<Item = &str> {
        /// `CodeBuild`, Jenkins, Azure Pipelines (three), Bamboo, Bitbucket, Buildkite, `CircleCI`, Drone,
        /// Woodpecker, Travis, `AppVeyor`, Bitrise, Codemagic. At a desk such a name may be anything's.
        const IN_PIPELINES: [&str; 15] = [
            "CODEBUILD_SRC_DIR",
            "WORKSPACE",
            "BUILD_SOURCESDIRECTORY",
            "BUILD_REPOSITORY_LOCALPATH",
            "SYSTEM_DEFAULTWORKINGDIRECTORY",
            "bamboo_build_working_directory",
            "BITBUCKET_CLONE_DIR",
            "BUILDKITE_BUILD_CHECKOUT_PATH",
            "CIRCLE_WORKING_DIRECTORY",
            "DRONE_WORKSPACE",
            "CI_WORKSPACE",
            "TRAVIS_BUILD_DIR",
            "APPVEYOR_BUILD_FOLDER",
            "BITRISE_SOURCE_DIR",
            "CM_BUILD_DIR",
        ];
        let names = if self.ci() { &IN_PIPELINES[..] } else { &[] };
        names.iter().filter_map(|name| self.get(name))
    }

    /// Whether this run is a pipeline's. GitHub's and GitLab's runners say so themselves, whatever a workflow has
    /// made of `CI` for a build that takes warnings for errors. Elsewhere `CI` counts as set unless it is empty, `0`
    /// or `false`; where it is not there, what runners that do not set it are known by.
    pub fn ci(&self) -> bool {
        let is_set = |name| {
            let value = self.get(name)?.trim();
            Some(value != "0" && !value.eq_ignore_ascii_case("false"))
        };
        let by_runner = || WITHOUT.iter().any(|name| self.get(name).is_some());
        FORGES.into_iter().any(|name| is_set(name) == Some(true))
            || is_set("CI").unwrap_or_else(by_runner)
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether the variable is there and says nothing: for those who must do as if it were not there.
    pub fn is_empty(&self, name: &str) -> bool {
        self.0.contains_key(name) && self.get(name).is_none()
    }

    /// Who set the variable, if it is set.
    pub fn origin(&self, name: &str) -> Option<&SetBy> {
        self.get(name)?;
        self.0.get(name).map(|var| &var.origin)
    }

    /// Sets a variable, whatever it was.
    pub fn overrule(&mut self, name: &str, value: &str) {
        let (value, origin) = (value.to_owned(), SetBy::Process);
        self.0.insert(name.to_owned(), Var { value, origin });
    }

    /// Sets a variable unless it is set already, as the process would.
    pub fn set_default(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.set_default_by(name, value, SetBy::Process);
    }

    /// Sets a variable unless it is set already.
    pub fn set_default_by(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        origin: SetBy,
    ) {
        self.0.entry(name.into()).or_insert_with(|| Var {
            value: value.into(),
            origin,
        });
    }

    /// The same, of a run that is not a pipeline's.
    #[must_use]
    pub fn at_a_desk(&self) -> Self {
        let mut vars = self.without_prefix("CI");
        vars.0.retain(|name, _| {
            let name = name.as_str();
            !FORGES.contains(&name) && !WITHOUT.contains(&name)
        });
        vars
    }

    /// The variables whose names don't begin so.
    #[must_use]
    pub fn without_prefix(&self, prefix: &str) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !name.starts_with(prefix));
        Self(map_of(kept.map(|(name, var)| (name.clone(), var.clone()))))
    }
}

impl FromIterator<(String, String)> for Vars {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(vars: I) -> Self {
        let vars = vars.into_iter().map(|(name, value)| {
            let origin = SetBy::Process;
            (name, Var { value, origin })
        });
        Self(map_of(vars))
    }
}

#[cfg(test)]
impl Vars {
    /// Those of a process, for tests.
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }
}

impl std::fmt::Debug for Vars {
    // Values may be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_says_so() {
        for runner in ["TF_BUILD", "JENKINS_URL", "bamboo_buildKey"] {
            assert!(Vars::of(&[(runner, "x")]).ci(), "{runner}");
            assert!(!Vars::of(&[(runner, "x"), ("CI", "false")]).ci());
        }
        for forge in ["GITHUB_ACTIONS", "GITLAB_CI"] {
            for ci in ["false", "0", ""] {
                assert!(Vars::of(&[(forge, "true"), ("CI", ci)]).ci(), "{forge}");
            }
            assert!(!Vars::of(&[(forge, "false")]).ci());
            assert!(
                !Vars::of(&[(forge, "true"), ("CI", "true")])
                    .at_a_desk()
                    .ci()
            );
        }

        let ci = |value: &str| {
            let vars: Vars = [("CI".to_owned(), value.to_owned())].into_iter().collect();
            vars.ci()
        };
        assert!(["true", "1", "yes", "woodpecker"].into_iter().all(ci));
        assert!(
            !["", " ", "0", "false", "False", " false "]
                .into_iter()
                .any(ci)
        );
        assert!(!Vars::default().ci());
    }
}
