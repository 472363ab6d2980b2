//! The pull or merge request that a pipeline runs for, as its variables and the event that GitHub keeps
//! in a file tell of it. Untrusted text.

use serde_json::Value;

use super::Vars;

/// One of the commits that a pipeline says its own is measured against. What each is for: `crate::base`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseName {
    /// This commit.
    Commit(String),
    /// The head of this branch; this commit where it cannot be had.
    Branch(String, Option<String>),
    /// Where the commit that is checked out merges this one, what it was merged onto.
    MergedOnto(String),
    /// Where what is checked out left what its branch was before it was pushed with force: nobody has to
    /// have seen that.
    Parted {
        /// What the branch was.
        before: String,
        /// Whether the forge says that it was forced.
        forced: bool,
    },
    /// The head of the branch that was pushed, where this run is of an older commit of it.
    Now(String),
    /// The default branch: as it is now, and where this line of history left it; on it, the commit before.
    Default(Line),
    /// From the first of these commits the app was last changed; what was refused since is still to be applied. Of one
    /// that the repository has lost, the one before stands for it.
    Applied(Vec<String>),
    /// The base of a request of which only the forge knows it.
    Asked,
}

/// What a run is told of the branches that it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The default branch.
    pub default: Option<String>,
    /// The branch that the run is of, and its commit there.
    pub own: Option<(String, Option<String>)>,
    /// Whether, on the default branch, the commit before binds: its approvals do, and not its policy,
    /// which a team changes by a merge.
    pub before: bool,
}

/// What a run is for. Its kind alone decides that: anybody may open a request from any branch, and then
/// events list it.
enum Kind {
    /// A request that the event and the variables tell of.
    Request,
    /// A queue of requests.
    Queue,
    /// A request that was commented on, or that an earlier run was for. Where it goes is told elsewhere.
    Elsewhere,
    /// No request.
    Project,
}

impl Kind {
    fn of(vars: &Vars, event: &Value) -> Self {
        let train = vars.get("CI_MERGE_REQUEST_EVENT_TYPE") == Some("merge_train");
        if event["merge_group"].is_object() || train && told_base(vars, event).is_some() {
            Self::Queue
        } else if event["pull_request"].is_object()
            || vars.get("CI_MERGE_REQUEST_IID").is_some()
            || vars.get("CI_EXTERNAL_PULL_REQUEST_IID").is_some()
            || target_branch(vars).is_some()
        {
            Self::Request
        } else if event["issue"]["pull_request"].is_object() || ran_for_request(event) == Some(true)
        {
            Self::Elsewhere
        } else {
            Self::Project
        }
    }
}

impl BaseName {
    /// The commits of the base of a request, or of what was there before a push. All of them bind.
    pub fn of(vars: &Vars, event: Option<&Value>) -> Vec<Self> {
        let event = event.unwrap_or(&Value::Null);
        match Kind::of(vars, event) {
            Kind::Request => Self::of_request(vars, event),
            // What is ahead in a queue comes first, and is not merged yet.
            Kind::Queue => match (told_base(vars, event), queued_for(vars, event)) {
                (Some(ahead), Some(branch)) => {
                    let ahead = ahead.to_owned();
                    let branch = Self::Branch(branch.to_owned(), Some(ahead.clone()));
                    vec![Self::Commit(ahead), branch]
                }
                (Some(ahead), None) => vec![
                    Self::Commit(ahead.to_owned()),
                    Self::Default(Line::of(vars, event)),
                ],
                (None, _) => vec![Self::Default(Line::of(vars, event))],
            },
            Kind::Elsewhere => {
                let listed = Self::listed(event);
                listed
                    .filter(|listed| !listed.is_empty())
                    .unwrap_or(vec![Self::Asked])
            }
            Kind::Project => Self::of_project(vars, event),
        }
    }

    /// Those whose policy binds as well, where a run is for no request. `ci`: whether it is a pipeline's.
    pub fn with_policy(self, ci: bool) -> Option<Self> {
        match self {
            Self::Branch(..) | Self::Now(_) => Some(self),
            // At a desk the files decide.
            Self::Default(line) if ci || line.is_told() => Some(Self::Default(Line {
                before: false,
                ..line
            })),
            Self::Default(_)
            | Self::Commit(_)
            | Self::MergedOnto(_)
            | Self::Parted { .. }
            | Self::Applied(_)
            | Self::Asked => None,
        }
    }

    /// Where the request left its target may be long ago, and so may be the event: what binds is what the
    /// target says now, too.
    fn of_request(vars: &Vars, event: &Value) -> Vec<Self> {
        let told = told_base(vars, event);
        let left = vars.get("CI_MERGE_REQUEST_DIFF_BASE_SHA").filter(is_some);
        let left = told.or(left).map(str::to_owned);
        let mut found = Vec::new();
        found.extend(told.map(|told| Self::Commit(told.to_owned())));
        match base_branch(vars, Some(event)) {
            Some(branch) => found.push(Self::Branch(branch.to_owned(), left)),
            None if told.is_some() => {}
            None => found.push(match left {
                Some(left) => Self::Commit(left),
                None => Self::Default(Line::of(vars, event)),
            }),
        }
        let heads = [
            event["pull_request"]["head"]["sha"].as_str(),
            vars.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
            vars.get("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA"),
        ];
        let head = heads.into_iter().flatten().find(is_some);
        found.extend(head.map(|head| Self::MergedOnto(head.to_owned())));
        found
    }

    fn of_project(vars: &Vars, event: &Value) -> Vec<Self> {
        let before = told_before(vars, event);
        let line = Line::of(vars, event);
        let own = line.own.as_ref().map(|(name, _)| name.clone());
        let default = line.default.clone();
        let is_default = own.is_some() && own == default;
        // Which requests a commit is of does not tell what its run is for: they add theirs.
        let mut found = Self::listed(event).unwrap_or_default();
        if let Some(before) = before {
            let (before, forced) = (before.to_owned(), event["forced"] == true);
            found.push(Self::Commit(before.clone()));
            found.push(Self::Parted { before, forced });
        }
        // Whoever moves a tag chooses what it was before.
        if before.is_none() || is_tag(vars, event) {
            found.push(Self::Default(line));
        }
        // `Default` has the default branch as it is now.
        let asked_of = ["workflow_run", "check_suite"].map(|of| &event[of]["head_branch"]);
        let check = &event["check_run"]["check_suite"]["head_branch"];
        let asked_of = asked_of.into_iter().chain([check]);
        let asked_of = asked_of.filter_map(Value::as_str);
        // A queue's branch is gone after its run.
        let asked_of = asked_of.filter(|branch| !branch.starts_with("gh-readonly-queue/"));
        let asked_of = asked_of.filter(|branch| Some(*branch) != default.as_deref());
        let own = own.filter(|_| before.is_some() || !is_default);
        for branch in own.into_iter().chain(asked_of.map(str::to_owned)) {
            let now = Self::Now(branch);
            if !found.contains(&now) {
                found.push(now);
            }
        }
        found
    }

    /// The branches into which the listed requests go; none where one does not tell it.
    fn listed(event: &Value) -> Option<Vec<Self>> {
        let mut found = Vec::new();
        for request in requests_of_run(event) {
            let branch = request["base"]["ref"].as_str()?.to_owned();
            let branch = Self::Branch(branch, None);
            if !found.contains(&branch) {
                found.push(branch);
            }
        }
        Some(found)
    }
}

impl Line {
    /// Of a repository of which nothing is told.
    pub fn untold() -> Self {
        Self {
            default: None,
            own: None,
            before: true,
        }
    }

    /// Whether a forge's pipeline names a branch.
    pub fn is_told(&self) -> bool {
        self.default.is_some() || self.own.is_some()
    }

    fn of(vars: &Vars, event: &Value) -> Self {
        let default = event["repository"]["default_branch"].as_str();
        let default = default.or_else(|| vars.get("CI_DEFAULT_BRANCH"));
        let commit = vars.get("CI_COMMIT_SHA").or_else(|| vars.get("GITHUB_SHA"));
        let own = pushed_branch(vars, Some(event));
        Self {
            default: default.filter(|name| !name.is_empty()).map(str::to_owned),
            own: own.map(|name| (name, commit.map(str::to_owned))),
            before: true,
        }
    }
}

/// What the branch was before it was pushed, where it was there.
fn told_before<'a>(vars: &'a Vars, event: &'a Value) -> Option<&'a str> {
    let before = [event["before"].as_str(), vars.get("CI_COMMIT_BEFORE_SHA")];
    before.into_iter().flatten().find(is_some)
}

/// The branches of which a commit is merged: the default one, and the one that was pushed, where it was there before.
pub fn merged_line(vars: &Vars, event: Option<&Value>) -> Line {
    let event = event.unwrap_or(&Value::Null);
    let line = Line::of(vars, event);
    let existed = told_before(vars, event).is_some();
    Line {
        own: line.own.filter(|_| existed),
        ..line
    }
}

/// Whether it is a commit: a branch that is new has a name of zeros for what was before.
fn is_some(name: &&str) -> bool {
    name.bytes().any(|b| b != b'0')
}

/// The commit that the forge names as the base of a request, or as what is ahead of it.
fn told_base<'a>(vars: &'a Vars, event: &'a Value) -> Option<&'a str> {
    let told = [
        event["pull_request"]["base"]["sha"].as_str(),
        event["merge_group"]["base_sha"].as_str(),
        vars.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
        vars.get("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA"),
    ];
    told.into_iter().flatten().find(is_some)
}

/// The branch that a queue is for.
fn queued_for<'a>(vars: &'a Vars, event: &'a Value) -> Option<&'a str> {
    let told = event["merge_group"]["base_ref"].as_str();
    let told = told.map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    told.filter(|name| !name.is_empty())
        .or_else(|| target_branch(vars))
}

fn is_tag(vars: &Vars, event: &Value) -> bool {
    let names = [vars.get("GITHUB_REF"), event["ref"].as_str()];
    let mut names = names.into_iter().flatten();
    vars.get("CI_COMMIT_TAG").is_some() || names.any(|name| name.starts_with("refs/tags/"))
}

/// Whether the run that an event is of was for a request, where that is told.
fn ran_for_request(event: &Value) -> Option<bool> {
    let started_by = event["workflow_run"]["event"].as_str()?;
    Some(started_by.starts_with("pull_request"))
}

/// The requests that an event lists which is of another run or of checks: those of the same commit, and on
/// GitHub in other repositories, too. A run that was for none is of none of them.
pub fn requests_of_run(event: &Value) -> Vec<&Value> {
    if ran_for_request(event) == Some(false) {
        return Vec::new();
    }
    let here = &event["repository"]["id"];
    let is_here = |request: &&Value| {
        let there = &request["base"]["repo"]["id"];
        here.is_null() || there.is_null() || here == there
    };
    let lists = ["workflow_run", "check_suite", "check_run"].into_iter();
    let lists = lists.filter_map(|of| event[of]["pull_requests"].as_array());
    lists.flatten().filter(is_here).collect()
}

/// The branch that the request goes into, where the pipeline's variables name it.
pub fn target_branch(vars: &Vars) -> Option<&str> {
    let names = [
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME",
        "GITHUB_BASE_REF",
    ];
    let told = names.into_iter().find_map(|name| vars.get(name));
    told.filter(|name| !name.is_empty())
}

/// The branch that the request goes into, by the event or the variables.
pub fn base_branch<'a>(vars: &'a Vars, event: Option<&'a Value>) -> Option<&'a str> {
    let told = event.and_then(|event| event["pull_request"]["base"]["ref"].as_str());
    told.or_else(|| target_branch(vars))
}

/// What GitHub calls the actions on a request that bring commits. What was pushed while it was closed, whoever
/// opens it again need not have pushed.
const PUSHES: [&str; 2] = ["opened", "synchronize"];

/// The login of who pushed what a pipeline for a request runs for, and the number of that account, which stays when
/// it is called otherwise, as the forge tells. Anybody may write another name into a commit. Who starts a job by
/// hand pushes nothing.
pub fn pusher<'a>(vars: &'a Vars, event: Option<&'a Value>) -> Option<(&'a str, Option<u64>)> {
    let gitlab = vars.get("CI_PIPELINE_SOURCE") == Some("merge_request_event")
        && vars.get("CI_JOB_MANUAL") != Some("true");
    if gitlab {
        let id = vars.get("GITLAB_USER_ID").and_then(|id| id.parse().ok());
        return Some((vars.get("GITLAB_USER_LOGIN")?, id));
    }
    let event = event.filter(|event| event["pull_request"].is_object())?;
    event["action"].as_str().filter(|is| PUSHES.contains(is))?;
    let sender = &event["sender"];
    match sender["login"].as_str() {
        Some(login) => Some((login, sender["id"].as_u64())),
        None => Some((vars.get("GITHUB_TRIGGERING_ACTOR")?, None)),
    }
}

/// Whether a run is told what started it, and that nobody pushed by that: an edited title, a comment, a job
/// that was started by hand. Then the run for the push is to say who did.
pub fn is_no_push(vars: &Vars, event: Option<&Value>) -> bool {
    if vars.get("CI_PIPELINE_SOURCE") == Some("merge_request_event") {
        return pusher(vars, event).is_none();
    }
    let action = event.and_then(|event| event["action"].as_str());
    action.is_some_and(|action| !PUSHES.contains(&action))
}

/// The branch that a pipeline runs for, where it runs for no request.
pub fn pushed_branch(vars: &Vars, event: Option<&Value>) -> Option<String> {
    if is_request(vars, event) {
        return None;
    }
    let of_ref = |name: &str| name.strip_prefix("refs/heads/").map(str::to_owned);
    let github = || of_ref(vars.get("GITHUB_REF")?);
    let told = || of_ref(event?["ref"].as_str()?);
    let gitlab = vars.get("CI_COMMIT_BRANCH").map(str::to_owned);
    gitlab.or_else(github).or_else(told)
}

/// Whether the event says of its request that it was merged.
fn says_merged(request: &Value) -> bool {
    let at = request["merged_at"].as_str();
    request["merged"] == true || at.is_some_and(|at| !at.is_empty())
}

/// Whether a run is for a request that is open as far as that is told: not merged, whatever started the run. A run
/// after another one is not told.
pub fn is_for_open_request(vars: &Vars, event: Option<&Value>) -> bool {
    let event = event.unwrap_or(&Value::Null);
    match Kind::of(vars, event) {
        Kind::Request | Kind::Queue => !says_merged(&event["pull_request"]),
        Kind::Elsewhere => {
            let issue = &event["issue"];
            issue["state"] == "open" && !says_merged(&issue["pull_request"])
        }
        Kind::Project => false,
    }
}

/// Whether a pipeline runs for a request.
pub fn is_request(vars: &Vars, event: Option<&Value>) -> bool {
    let kind = Kind::of(vars, event.unwrap_or(&Value::Null));
    !matches!(kind, Kind::Project)
}

#[cfg(test)]
mod tests;
