//! The text of a comment: the hidden line by which it is found, perhaps a notice, the plan, and a
//! hidden record of what is shown since when. Pure.
//!
//! Only whole lines count, and no line of a plan or a notice is one of these: untrusted text stands
//! in code spans, or in a fence whose lines begin with a mark.

use std::{collections::BTreeSet, fmt::Write as _};

use jiff::Timestamp;

use super::marker::same;

/// Between a notice and the plan below it.
const BELOW: &str = "<!-- connplan-below -->";
/// Around a plan of an older commit.
const FOLD: &str = "<details><summary>The older plan</summary>";
const UNFOLD: &str = "</details>";
const RECORD: &str = "<!-- connplan-shows";
const END: &str = " -->";

/// How the notice begins that a plan was applied, and in part.
pub(super) const APPLIED: &str = "> ✅ **This plan was applied";
pub(super) const IN_PART: &str = "> 🔶 **This plan was applied in part";
/// How notices begin; a failure's is a document of its own.
const NOTICES: [&str; 3] = [APPLIED, IN_PART, "## connplan"];
/// How a plan begins that may be applied.
const TITLE: &str = "## connplan plan: ";

/// What a comment shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The plan's digest.
    pub(super) digest: Option<String>,
    /// The commit that the plan is of.
    pub(super) commit: Option<String>,
    /// When the plan was made.
    pub(super) planned: Option<Timestamp>,
    /// Since when this plan of this commit is shown.
    pub(super) since: Option<Timestamp>,
    /// The commit that was spoken of last; another one than the plan's where planning failed.
    pub(super) latest: Option<String>,
    /// The branch against which the plan was judged, as `marker::word` writes it.
    pub(super) into: Option<String>,
    /// Who pushed the commit that was spoken of last, as `person::Account` writes them; `own::UNTOLD` where no run
    /// for a push has said it.
    pub(super) pushed_by: BTreeSet<String>,
}

/// A comment taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) notice: Option<String>,
    /// Empty where only a notice is shown.
    pub(super) plan: String,
    /// Whether the plan is folded away, because it is of an older commit.
    pub(super) folded: bool,
    pub(super) record: Record,
}

impl Record {
    fn line(&self) -> String {
        let mut out = RECORD.to_owned();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = write!(out, " {name}={value}");
            }
        };
        let safe = |text: &Option<String>| {
            let plain = |c: &char| c.is_ascii_alphanumeric() || *c == ':';
            text.as_ref()
                .map(|text| text.chars().filter(plain).collect())
        };
        let second = |time: Option<Timestamp>| time.map(|time| time.as_second().to_string());
        put("digest", safe(&self.digest));
        put("commit", safe(&self.commit));
        put("planned", second(self.planned));
        put("since", second(self.since));
        put("latest", safe(&self.latest));
        put("into", self.into.clone());
        let pushed_by: Vec<_> = self.pushed_by.iter().map(String::as_str).collect();
        put("by", (!pushed_by.is_empty()).then(|| pushed_by.join(",")));
        out.push_str(END);
        out
    }

    fn parse(line: &str) -> Option<Self> {
        let words = line.strip_prefix(RECORD)?.strip_suffix(END)?;
        let mut record = Self::default();
        for word in words.split_whitespace() {
            let (name, value) = word.split_once('=')?;
            let text = || Some(value.to_owned());
            let time = || Timestamp::from_second(value.parse().ok()?).ok();
            match name {
                "digest" => record.digest = text(),
                "commit" => record.commit = text(),
                "planned" => record.planned = time(),
                "since" => record.since = time(),
                "latest" => record.latest = text(),
                "into" => record.into = text(),
                "by" => record.pushed_by = value.split(',').map(str::to_owned).collect(),
                _ => {}
            }
        }
        Some(record)
    }

    /// Whether the plan that another one shows is shown already: of the same commit, into the same branch.
    pub(super) fn shows_same(&self, other: &Self) -> bool {
        self.digest == other.digest && self.commit == other.commit && self.into == other.into
    }
}

impl Body {
    /// Whether readers see this digest of a plan, where the tool writes it: in the line of its own
    /// below the plan. `comment` is the whole that was taken apart. What the tool would not have
    /// written so, from its first line to its last, is not its own.
    pub(super) fn lets_see(&self, digest: &str, comment: &str, marker: &str) -> bool {
        let notice = self.notice.as_deref();
        let known = |notice: &str| NOTICES.iter().any(|begins| notice.starts_with(begins));
        // Folded away, it is what is not planned any more.
        let is_own = notice.is_none_or(|notice| known(notice) && open_lines(notice).is_some())
            && !self.folded
            && self.plan.starts_with(TITLE)
            && same(&self.text(marker, usize::MAX), comment);
        let lines = open_lines(&self.plan)
            .filter(|_| is_own)
            .unwrap_or_default();
        let at = |index: usize| lines.get(index).copied().unwrap_or_default();
        let digests: Vec<_> = (0..lines.len())
            .filter(|index| at(*index).starts_with("Digest `"))
            .collect();
        let [line] = digests.as_slice() else {
            return false;
        };
        let alone = at(line - 1).is_empty() && at(line + 1).is_empty();
        alone && at(*line).starts_with(&format!("Digest `{digest}`, at "))
    }

    /// Takes a comment apart that begins with the marker.
    pub(super) fn of(comment: &str, marker: &str) -> Option<Self> {
        let rest = comment.strip_prefix(marker)?;
        Some(Self::parse(rest.trim_start_matches(['\r', '\n'])))
    }

    /// Takes the rest of a comment apart, without its marker.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end();
        let (above, record) = match text.rsplit_once('\n') {
            Some((above, last)) => match Record::parse(last) {
                Some(record) => (above, record),
                None => (text, Record::default()),
            },
            None => (text, Record::parse(text).unwrap_or_default()),
        };
        let lines: Vec<_> = above.split('\n').collect();
        let (notice, plan) = match lines.iter().position(|line| *line == BELOW) {
            Some(at) => {
                let (notice, plan) = lines.split_at(at);
                (Some(notice.join("\n")), plan.get(1..).unwrap_or_default())
            }
            None => (None, lines.as_slice()),
        };
        let plan = plan.join("\n");
        let plan = plan.trim();
        let inner = plan
            .strip_prefix(FOLD)
            .and_then(|rest| rest.strip_suffix(UNFOLD));
        Self {
            notice: notice.filter(|notice| !notice.trim().is_empty()),
            plan: inner.unwrap_or(plan).trim().to_owned(),
            folded: inner.is_some(),
            record,
        }
    }

    /// The whole comment, at most `max` bytes long where there is something to cut.
    pub(super) fn text(&self, marker: &str, max: usize) -> String {
        let record = if self.record == Record::default() {
            String::new()
        } else {
            format!("\n{}", self.record.line())
        };
        let mut head = format!("{marker}\n");
        if let Some(notice) = &self.notice {
            let _ = write!(head, "{}\n{BELOW}\n", notice.trim_end());
        }
        let fold = if self.folded && self.notice.is_some() {
            (format!("{FOLD}\n\n"), format!("\n\n{UNFOLD}"))
        } else {
            (String::new(), String::new())
        };
        let taken = head.len() + record.len() + fold.0.len() + fold.1.len() + 1;
        let plan = cut(self.plan.trim_end(), max.saturating_sub(taken));
        format!("{head}{}{plan}{}{record}\n", fold.0, fold.1)
    }
}

/// A plan that was shown whole before there was a notice above it. What is folded is left out.
fn cut(plan: &str, room: usize) -> String {
    const LEFT_OUT: &str = "The details are left out for their length.";
    if plan.len() <= room {
        return plan.to_owned();
    }
    let short = match (plan.find("\n<details>"), plan.rfind("</details>")) {
        (Some(from), Some(to)) if from < to => {
            let after = plan.get(to + "</details>".len()..).unwrap_or_default();
            format!(
                "{}\n\n{LEFT_OUT}\n{after}",
                plan.get(..from).unwrap_or_default()
            )
        }
        _ => plan.to_owned(),
    };
    let mut out = String::new();
    for line in short.split_inclusive('\n') {
        if out.len() + line.len() > room {
            break;
        }
        out.push_str(line);
    }
    out.trim_end().to_owned()
}

/// The lines that stand open: outside of fences and of what is folded. None where anything else
/// might hide a line, as the tool writes none.
fn open_lines(text: &str) -> Option<Vec<&str>> {
    let (mut open, mut fence, mut folded) = (Vec::new(), None, false);
    for line in text.split('\n') {
        let inner = line.trim_start();
        let ticks = inner.len() - inner.trim_start_matches('`').len();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '`');
        match fence {
            Some(length) if ticks >= length => {
                if line.len() != length {
                    return None;
                }
                fence = None;
            }
            Some(_) => {}
            None if ticks >= 3 => {
                if inner.len() != line.len() || !line.chars().all(plain) {
                    return None;
                }
                fence = Some(ticks);
            }
            None if line == "<details>" && !folded => folded = true,
            None if line == UNFOLD && folded => folded = false,
            None if line.starts_with("<summary>") && folded => {}
            None if inner.starts_with(['<', '~']) => return None,
            None if folded => {}
            None => open.push(line),
        }
    }
    (fence.is_none() && !folded).then_some(open)
}

/// What a run has to say, and of which commit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) commit: Option<&'a str>,
    pub(super) planned: Option<Timestamp>,
    /// The run is a merge queue's: its commit is one that the forge made up.
    pub(super) queue: bool,
}

/// Why a comment is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Newer {
    /// It is of this commit, which came later.
    Commit(String),
    /// It is of the same commit, and was made later.
    Run,
    /// It was merged; what was reviewed stays.
    Merged,
    /// The run is a merge queue's.
    Queue,
}

/// Whether a comment that is there is newer than what a run has to say. `head` is the commit that
/// the request has now, if the forge says so.
pub(super) fn newer(
    there: &Record,
    said: Said<'_>,
    head: Option<&str>,
    merged: bool,
) -> Option<Newer> {
    let commit = said.commit?;
    let latest = there.latest.as_deref().or(there.commit.as_deref())?;
    if said.queue {
        return Some(Newer::Queue);
    }
    if merged {
        return Some(Newer::Merged);
    }
    let earlier =
        matches!((said.planned, there.planned), (Some(ours), Some(theirs)) if ours < theirs);
    if latest == commit {
        return earlier.then_some(Newer::Run);
    }
    match head {
        // Of an older commit than the head: it says nothing that is newer.
        Some(head) if head != commit => Some(Newer::Commit(latest.to_owned())),
        Some(_) => None,
        None => earlier.then(|| Newer::Commit(latest.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    fn record(commit: &str, planned: i64) -> Record {
        Record {
            digest: Some("sha256:ab".to_owned()),
            commit: Some(commit.to_owned()),
            planned: at(planned),
            since: at(5),
            latest: None,
            into: Some("a%2Db".to_owned()),
            pushed_by: ["ann", "eve"].map(str::to_owned).into(),
        }
    }

    #[test]
    fn only_the_line_that_the_tool_writes_shows_a_digest() {
        const LINE: &str = "Digest `sha256:ab`, at `https://x.example`, by connplan 1.";
        let seen_of = |marker: &str, rest: &str| {
            let comment = format!("{marker}\n{rest}");
            Body::parse(rest).lets_see("sha256:ab", &comment, "<!-- m -->")
        };
        let seen = |plan: &str| {
            let record = "<!-- connplan-shows digest=sha256:ab -->";
            seen_of("<!-- m -->", &format!("{plan}\n{record}\n"))
        };
        let title = "## connplan plan: app `a`";
        let folded = "<details>\n<summary>x</summary>\n\n````diff\n```\n````\n\n</details>";
        assert!(seen(&format!("{title}\n\n{folded}\n\n{LINE}\n\nmore")));
        assert!(seen(&format!("{APPLIED}.**\n{BELOW}\n{title}\n\n{LINE}")));
        for hidden in [
            format!("LGTM\n\n{LINE}"),
            format!("{title}\n\n<!--\n\n{LINE}\n\n-->"),
            format!("{title}\n\n  <!-- sha256:ab\n\n{LINE}"),
            format!("{title}\n\n<details>\n\n{LINE}\n\n</details>"),
            format!("{title}\n\n<details>\n\n</details>\n<details open=x>\n\n{LINE}"),
            format!("{title}\n\n```\n\n{LINE}\n\n```"),
            format!("{title}\n\n```\n````\n<details>\n```\n\n{LINE}\n\n```\n```"),
            format!("{title}\n\n~~~\n\n{LINE}\n\n~~~"),
            format!("{title}\n\n[x]: https://x.example '\n{LINE}\n'"),
            format!("{title}\n\nDigest `sha256:cd`, at `x`.\n\n{LINE}"),
            format!("{title}\n\n> {LINE}"),
            format!("{title}\n\nDigest `sha256:abc`, at `x`."),
            format!("LGTM\n<details>\n{BELOW}\n{title}\n\n{LINE}"),
            format!("{APPLIED}\n<details>\n{BELOW}\n{title}\n\n{LINE}"),
            format!("{title}\n\n{LINE}\n\n{RECORD} digest=sha256:cd -->"),
        ] {
            assert!(!seen(&hidden), "{hidden}");
        }
        // In front of what it would have written.
        let rest = format!("{title}\n\n{LINE}\n<!-- connplan-shows x=1 -->");
        assert!(!seen_of("<!-- m -->", &rest));
    }

    #[test]
    fn a_comment_is_put_together_and_taken_apart() {
        for notice in [None, Some("## failed\n\nwhy".to_owned())] {
            let folded = notice.is_some();
            let body = Body {
                notice,
                plan: "## plan\n\n<details>\ntext\n</details>".to_owned(),
                folded,
                record: record("c1", 3),
            };
            let text = body.text("<!-- m -->", 10_000);
            let rest = text.strip_prefix("<!-- m -->\n").unwrap();
            assert_eq!(Body::parse(rest), body);
            assert_eq!(Body::parse(&rest.replace('\n', "\r\n")), body);
        }
        // One of an earlier version has no record.
        let old = Body::parse("## plan\n\ntext");
        assert_eq!(
            (old.plan.as_str(), old.record),
            ("## plan\n\ntext", Record::default())
        );
    }

    #[test]
    fn nothing_but_its_last_line_is_a_record() {
        let forged = "## plan\n<!-- connplan-shows digest=sha256:ff -->\nmore";
        assert_eq!(Body::parse(forged).record, Record::default());
        let hostile = Record {
            commit: Some("x --> y digest=1".to_owned()),
            ..Record::default()
        };
        assert_eq!(hostile.line(), "<!-- connplan-shows commit=xydigest1 -->");
    }

    #[test]
    fn what_came_later_is_left_alone() {
        let said = |commit, planned| Said {
            commit: Some(commit),
            planned: at(planned),
            queue: false,
        };
        let there = record("c2", 10);
        for (said, head, merged, expected) in [
            // A newer push.
            (said("c3", 20), Some("c3"), false, None),
            // An old run again: later, and of an older commit.
            (
                said("c1", 20),
                Some("c2"),
                false,
                Some(Newer::Commit("c2".to_owned())),
            ),
            (
                said("c1", 20),
                Some("c3"),
                false,
                Some(Newer::Commit("c2".to_owned())),
            ),
            // The same commit again.
            (said("c2", 20), Some("c2"), false, None),
            (said("c2", 5), Some("c2"), false, Some(Newer::Run)),
            (said("c2", 20), Some("c2"), true, Some(Newer::Merged)),
            // The forge does not say.
            (
                said("c1", 5),
                None,
                false,
                Some(Newer::Commit("c2".to_owned())),
            ),
            (said("c3", 20), None, false, None),
        ] {
            assert_eq!(
                newer(&there, said, head, merged),
                expected,
                "{said:?} {head:?}"
            );
        }
        let queue = Said {
            queue: true,
            ..said("c9", 20)
        };
        assert_eq!(newer(&there, queue, Some("c2"), false), Some(Newer::Queue));
        // What fails is the last that was spoken of.
        let failed = Record {
            latest: Some("c3".to_owned()),
            ..there
        };
        assert_eq!(
            newer(&failed, said("c2", 20), Some("c3"), false),
            Some(Newer::Commit("c3".to_owned()))
        );
        assert_eq!(
            newer(&Record::default(), said("c1", 1), Some("c2"), false),
            None
        );
    }

    #[test]
    fn a_plan_below_a_notice_is_cut_where_it_is_folded() {
        let plan = format!(
            "## plan\n\n<details>\n{}\n</details>\n\nDigest.",
            "x\n".repeat(500)
        );
        let body = Body {
            notice: Some("## failed".to_owned()),
            plan,
            folded: false,
            record: Record::default(),
        };
        let text = body.text("<!-- m -->", 300);
        assert!(text.len() <= 300 && text.contains("Digest.") && text.contains("left out"));
        assert!(!text.contains("<details>"));
    }
}
