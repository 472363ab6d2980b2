//! Who reviewed a pull or merge request, and what the forge knows of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Forge, Place, PublishError,
    doubt::{by_nobody, by_program, doubt, misplaced, untold},
    forge::{Facts, time},
    http::{Call, Http},
    person::{Account, is_program, is_web_flow},
    place::encode,
    pushers::{Pusher, pushers},
    request::Request,
    thread::Thread,
};
use crate::{
    approval::{Review, ReviewFacts, Shown},
    http::ClientOptions,
    model,
};

/// From here on a member of a project on GitLab may push.
const DEVELOPER: u64 = 30;

/// Asks the forge about the request that this run's commit came from. `marker` finds the plan's
/// comment. `commit` is the run's own: of an open request it has to be the newest.
pub async fn review_facts(
    place: &Place,
    marker: &str,
    commit: Option<&str>,
    options: ClientOptions,
) -> Result<ReviewFacts, PublishError> {
    let http = Http::new(place, options)?;
    let number = super::number_of(&http, place).await?;
    let merged_as = matches!(place.request, Request::OfCommit(_));
    let thread = Thread {
        http: &http,
        place,
        number,
    };
    let asking = Asking {
        http: &http,
        place,
        number,
    };
    let facts = thread.facts().await?;
    let facts = facts.ok_or_else(|| asking.unknown("the token may not read the request"))?;
    let head = facts.head.clone();
    let head = head.ok_or_else(|| asking.unknown("it names no newest commit"))?;
    if !merged_as && commit != Some(head.as_str()) {
        return Err(PublishError::Moved {
            why: "the request has a newer commit",
            help: "let the run of the newest commit apply",
        });
    }
    let author = facts.author.clone();
    let author = author.ok_or_else(|| asking.unknown("it names no author"))?;
    let shown = thread.shown(marker).await?;
    let Told {
        reviews,
        people,
        asked,
        commits,
        base,
    } = match place.forge {
        Forge::GitHub => asking.github(&facts).await?,
        Forge::GitLab => asking.gitlab(&facts).await?,
    };
    let listed = match &facts.source {
        Some(source) => pushers(&http, place.forge, source, &head, (&commits, &base)).await?,
        None => None,
    };
    let is_whole = listed.as_ref().is_some_and(|listed| listed.whole);
    let listed = listed.unwrap_or_default();
    let mut pushed = None;
    for (list, verb) in [
        (&listed.all, "pushed"),
        (&listed.perhaps, "may have pushed"),
    ] {
        for who in list {
            if pushed.is_none() && (who.program || asking.is_program(&who.name, who.id).await?) {
                pushed = Some(by_program(place, &who.name, verb));
            }
        }
    }
    let pushed = pushed.or_else(|| listed.gone.then(|| by_nobody(place)));
    // Whoever starts a job again is not who pushed: what a run is told counts where the forge lists too little.
    let is_told = !is_whole && matches!(place.request, Request::Number(_));
    let told = place.pushed_by.as_ref().filter(|_| is_told);
    let account = |who: &Pusher| Account::of(&who.name, who.id);
    let mut pushed_by: Vec<_> = listed.all.iter().map(account).collect();
    pushed_by.extend(told.cloned());
    let writer = shown.as_ref().map(|shown| shown.writer.clone());
    let shown = shown.map(|shown| {
        let made = people.iter().flatten().chain([&author]);
        if !is_whole {
            let told = shown.pushed_by.iter();
            pushed_by.extend(told.map(|told| Account::parse(told)));
        }
        Shown {
            doubt: misplaced(place, &facts, &shown)
                .or_else(|| doubt(place, &shown, made))
                .or(pushed)
                .or_else(|| untold(place, &shown).filter(|_| !is_whole)),
            digest: shown.digest,
            commit: shown.commit,
            since: shown.since,
        }
    });
    let (mut writers, mut barred) = (BTreeMap::new(), BTreeMap::new());
    for (review, who) in reviews.iter().filter(|(review, _)| review.approves) {
        let name = &review.by;
        if writers.contains_key(name) {
            continue;
        }
        let program = who.program || asking.is_program(name, who.id).await?;
        let account = Account::of(name, who.id);
        let standing = asking.standing(name, who.id).await?;
        if program || standing.program {
            barred.insert(name.clone(), "is a program, not a person");
        } else if pushed_by.iter().any(|by| by.is(&account)) {
            barred.insert(name.clone(), "pushed the change");
        } else if listed
            .perhaps
            .iter()
            .any(|who| Account::of(&who.name, who.id).is(&account))
        {
            let why = "pushed many branches at once, and may so have pushed the change";
            barred.insert(name.clone(), why);
        } else if writer.as_ref().is_some_and(|writer| writer.is(name)) {
            barred.insert(name.clone(), "owns the token that writes the comment");
        }
        writers.insert(name.clone(), standing.may_write);
    }
    Ok(ReviewFacts {
        head,
        author,
        shown,
        people,
        reviews: reviews.into_iter().map(|(review, _)| review).collect(),
        asked,
        writers,
        barred,
    })
}

/// A review, and what comes with it of who gave it.
type Found = (Review, Who);

/// What a forge tells of the reviews and the commits of a request.
struct Told {
    reviews: Vec<Found>,
    people: Vec<Option<String>>,
    asked: BTreeSet<String>,
    /// The whole names of its commits, where they are told.
    commits: BTreeSet<String>,
    /// Those of what they go on from, which the target has.
    base: BTreeSet<String>,
}

/// Who gave a review.
struct Who {
    /// Their number.
    id: Option<u64>,
    program: bool,
}

/// What the project's members are.
struct Standing {
    may_write: bool,
    program: bool,
}

fn names_of(commits: &[Value], field: &str) -> BTreeSet<String> {
    let names = commits.iter().filter_map(|commit| commit[field].as_str());
    names.map(str::to_owned).collect()
}

pub(super) struct Asking<'a> {
    pub(super) http: &'a Http,
    pub(super) place: &'a Place,
    number: u64,
}

impl Asking<'_> {
    async fn github(&self, facts: &Facts) -> Result<Told, PublishError> {
        let request = self.request();
        let what = "reading the reviews";
        let mut reviews = Vec::new();
        for value in self.list(what, format!("{request}/reviews")).await? {
            let approves = match value["state"].as_str() {
                Some("APPROVED") => true,
                Some("CHANGES_REQUESTED" | "DISMISSED") => false,
                // A remark takes nothing back; what is not sent yet says nothing.
                Some("COMMENTED" | "PENDING") => continue,
                _ => return Err(self.unknown("it has a review of a kind that is not known")),
            };
            let at = time(&value["submitted_at"]);
            let (Some(by), Some(at)) = (value["user"]["login"].as_str(), at) else {
                if approves {
                    // Its author is gone: nobody's approval.
                    continue;
                }
                return Err(self.unknown("it does not tell whose a review is"));
            };
            let review = Review {
                by: by.to_owned(),
                approves,
                // Without a commit it is of none.
                commit: Some(value["commit_id"].as_str().unwrap_or("none").to_owned()),
                at,
                url: value["html_url"].as_str().map(str::to_owned),
            };
            let (user, id) = (&value["user"], value["user"]["id"].as_u64());
            let program = is_program(Forge::GitHub, user, by);
            reviews.push((review, Who { id, program }));
        }
        model::sort_by_key(&mut reviews, |(review, _)| review.at);
        let commits = self
            .list("reading the commits", format!("{request}/commits"))
            .await?;
        // The forge lists so many, and no more.
        if facts.commits != u64::try_from(commits.len()).ok() {
            return Err(self.unknown("it does not list all of its commits"));
        }
        let mut people = Vec::new();
        for commit in &commits {
            let login = |who: &str| commit[who]["login"].as_str();
            let person = |who: &str| login(who).filter(|name| !is_web_flow(name));
            people.push(person("author").map(str::to_owned));
            // Anybody may write its address into a commit. What the forge made, it also signed.
            let signed = commit["commit"]["verification"]["verified"] == true;
            if !(signed && login("committer").is_some_and(is_web_flow)) {
                people.push(person("committer").map(str::to_owned));
            }
        }
        let asked = facts.asked.clone();
        let asked = asked.ok_or_else(|| self.unknown("it does not tell who is asked"))?;
        Ok(Told {
            reviews,
            people,
            asked: asked.into_iter().collect(),
            commits: names_of(&commits, "sha"),
            // Its list of pushes lacks none.
            base: BTreeSet::new(),
        })
    }

    async fn gitlab(&self, facts: &Facts) -> Result<Told, PublishError> {
        let request = self.request();
        let call = Call::get("reading the approvals", format!("{request}/approvals"));
        let answer = self.http.send(&call).await?;
        let versions = self.versions(&request, facts).await?;
        let approved = answer.body["approved_by"].as_array();
        let approved = approved.ok_or_else(|| self.unknown("it lists no approvals"))?;
        let mut reviews = Vec::new();
        for value in approved {
            let user = &value["user"];
            let at = time(&value["approved_at"]);
            let (Some(by), Some(id), Some(at)) =
                (user["username"].as_str(), user["id"].as_u64(), at)
            else {
                return Err(self.unknown("it does not tell by whom and when it was approved"));
            };
            let review = Review {
                by: by.to_owned(),
                approves: true,
                // Where it is not told, the time since when the newest commit's plan is shown tells it.
                commit: versions.as_ref().map(|versions| {
                    let before = versions.iter().filter(|(since, _)| *since < at);
                    let newest = before.max_by_key(|(since, _)| *since);
                    newest.map_or_else(|| "none".to_owned(), |(_, head)| head.clone())
                }),
                at,
                url: None,
            };
            let program = is_program(Forge::GitLab, user, by);
            reviews.push((
                review,
                Who {
                    id: Some(id),
                    program,
                },
            ));
        }
        let commits = self
            .list("reading the commits", format!("{request}/commits"))
            .await?;
        if commits.is_empty() {
            return Err(self.unknown("it does not list its commits"));
        }
        let mut emails = BTreeSet::new();
        for commit in &commits {
            for field in ["author_email", "committer_email"] {
                let email = commit[field].as_str();
                emails.insert(email.ok_or_else(|| self.unknown("a commit has no author"))?);
            }
        }
        let mut people = Vec::new();
        for email in emails {
            people.push(self.gitlab_user(email, facts).await?);
        }
        let reviewers = self
            .list("reading the reviewers", format!("{request}/reviewers"))
            .await?;
        let asked = reviewers.iter().filter_map(|reviewer| {
            let waits = !matches!(reviewer["state"].as_str(), Some("approved" | "reviewed"));
            let name = reviewer["user"]["username"].as_str();
            name.filter(|_| waits).map(str::to_owned)
        });
        let parents = commits
            .iter()
            .filter_map(|commit| commit["parent_ids"].as_array());
        let parents = parents
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned);
        Ok(Told {
            reviews,
            people,
            asked: asked.collect(),
            base: parents.collect(),
            commits: names_of(&commits, "id"),
        })
    }

    /// Since when the request had which commit as its newest one: an approval on GitLab does not name it.
    /// None where the server has no such list.
    async fn versions(
        &self,
        request: &str,
        facts: &Facts,
    ) -> Result<Option<Vec<(Timestamp, String)>>, PublishError> {
        let listed = self
            .list("reading the versions", format!("{request}/versions"))
            .await;
        let listed = match listed {
            Err(error) if error.is_absent() => return Ok(None),
            listed => listed?,
        };
        let version = |value: &Value| {
            let head = value["head_commit_sha"].as_str()?.to_owned();
            Some((time(&value["created_at"])?, head))
        };
        let versions: Option<Vec<_>> = listed.iter().map(version).collect();
        let versions = versions.ok_or_else(|| self.unknown("it does not tell its versions"))?;
        let newest = versions.iter().max_by_key(|(since, _)| *since);
        match (newest, &facts.head) {
            (Some((_, newest)), Some(head)) if newest != head => Err(PublishError::Moved {
                why: "the request was changed just now",
                help: "try again in a minute",
            }),
            (None, _) => Ok(None),
            _ => Ok(Some(versions)),
        }
    }

    /// Whether GitLab calls a user a program: its lists of approvals and pushes do not tell.
    async fn is_program(&self, name: &str, id: Option<u64>) -> Result<bool, PublishError> {
        let Some(id) = id.filter(|_| self.place.forge == Forge::GitLab) else {
            return Ok(false);
        };
        let call = Call::get("asking who somebody is", format!("/users/{id}"));
        match self.http.send(&call).await {
            // Not told: the name decides.
            Err(PublishError::Refused { status: 404, .. }) => Ok(false),
            answer => Ok(is_program(self.place.forge, &answer?.body, name)),
        }
    }

    async fn standing(&self, name: &str, id: Option<u64>) -> Result<Standing, PublishError> {
        let nobody = Standing {
            may_write: false,
            program: false,
        };
        let project = &self.place.project_path;
        let path = match (self.place.forge, id) {
            (Forge::GitHub, _) => {
                format!("/repos/{project}/collaborators/{}/permission", encode(name))
            }
            (Forge::GitLab, Some(id)) => format!("/projects/{project}/members/all/{id}"),
            (Forge::GitLab, None) => return Ok(nobody),
        };
        let call = Call::get("asking who may write", path);
        let answer = match self.http.send(&call).await {
            // Not one of the project's people.
            Err(PublishError::Refused { status: 404, .. }) => return Ok(nobody),
            other => other?,
        };
        let user = match self.place.forge {
            Forge::GitHub => &answer.body["user"],
            Forge::GitLab => &answer.body,
        };
        let program = is_program(self.place.forge, user, name);
        let may_write = match self.place.forge {
            Forge::GitHub => matches!(
                answer.body["permission"].as_str(),
                Some("admin" | "maintain" | "write")
            ),
            Forge::GitLab => {
                let level = answer.body["access_level"].as_u64();
                let is_active = |state: &Value| state == "active";
                let membership = &answer.body["membership_state"];
                level.is_some_and(|level| level >= DEVELOPER)
                    && [&answer.body["state"], membership]
                        .into_iter()
                        .all(|state| state.is_null() || is_active(state))
            }
        };
        Ok(Standing { may_write, program })
    }

    /// A whole list.
    async fn list(&self, what: &'static str, path: String) -> Result<Vec<Value>, PublishError> {
        let all = |value: &Value| Some(value.clone());
        Ok(self.http.list(what, path, &[], all).await?.items)
    }

    fn request(&self) -> String {
        let place = self.place;
        place.forge.request_path(&place.project_path, self.number)
    }

    fn unknown(&self, why: &'static str) -> PublishError {
        self.http.malformed("reading the reviews", why)
    }
}
