//! The parts of a Markdown document, and what gives way when it gets too long: first the middle of
//! the details, then the details, then findings, then names; the warnings last.

use std::borrow::Cow;

use crate::escape;

/// A document in parts. Every line is finished Markdown without a line break.
#[derive(Clone, Debug, Default)]
pub(super) struct Sections {
    /// Title and counts.
    pub(super) head: Vec<String>,
    /// What is risky, one line for each kind. Lists that follow each other need marks of their own
    /// (`-`, `*`, `+`), or they are one list.
    pub(super) warnings: Vec<String>,
    /// Names by what happens to them.
    pub(super) names: Vec<Names>,
    /// Findings about files.
    pub(super) findings: Vec<String>,
    /// The line that unfolds the details.
    pub(super) details_title: &'static str,
    /// The lines of the `diff` fence. Lines that start with `@@` begin a paragraph.
    pub(super) details: Vec<Line>,
    /// Digest, version, how to go on.
    pub(super) foot: Vec<String>,
    /// Where the whole is, as the end of a sentence.
    pub(super) whole: String,
}

/// A line of the details, and what becomes of it where they are too long.
#[derive(Clone, Debug)]
pub(super) struct Line {
    text: String,
    kept: Kept,
}

/// What stays of the details while there is room, the last the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    No,
    /// Where a connector connects to, and whose account is expected.
    Terms,
    /// What is dangerous.
    Grave,
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::kept(text, Kept::No)
    }
}

impl Line {
    pub(super) fn kept(text: String, kept: Kept) -> Self {
        Self { text, kept }
    }

    /// Whether it begins a paragraph.
    fn is_head(&self) -> bool {
        self.text.starts_with("@@")
    }
}

/// A list of names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// What happens to them.
    pub(super) heading: String,
    /// Each as finished Markdown.
    pub(super) names: Vec<String>,
}

/// How much of a document is shown.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// Bytes of details, or all of them.
    details: Option<usize>,
    findings: bool,
    /// Names in each list.
    names: usize,
}

/// Fewer bytes of details than this are not worth unfolding.
const LEAST_DETAILS: usize = 400;

impl Sections {
    /// Masks every e-mail address in it: strangers may read it.
    pub(super) fn mask_accounts(&mut self) {
        let names = self.names.iter_mut().flat_map(|list| &mut list.names);
        let details = self.details.iter_mut().map(|line| &mut line.text);
        let lines = [
            &mut self.head,
            &mut self.warnings,
            &mut self.findings,
            &mut self.foot,
        ];
        for line in lines.into_iter().flatten().chain(names).chain(details) {
            if let Cow::Owned(masked) = escape::mask_accounts(line) {
                *line = masked;
            }
        }
    }

    /// The document, in at most `max` bytes.
    pub(super) fn fit(&self, max: usize) -> String {
        let mut shown = Shown {
            details: None,
            findings: true,
            names: usize::MAX,
        };
        let text = self.render(shown);
        if text.len() <= max {
            return text;
        }
        // A fence may grow with what it holds, so the budget is found by trying.
        shown.details = Some(0);
        let without = self.render(shown);
        let mut budget = max.saturating_sub(without.len());
        while budget >= LEAST_DETAILS {
            shown.details = Some(budget);
            let text = self.render(shown);
            if text.len() <= max {
                return text;
            }
            budget = budget.saturating_sub((text.len() - max).max(16));
        }
        shown.details = Some(0);
        for findings in [true, false] {
            shown.findings = findings;
            let text = self.render(shown);
            if text.len() <= max {
                return text;
            }
        }
        let longest = self.names.iter().map(|n| n.names.len()).max().unwrap_or(0);
        let fits = |names: usize| self.render(Shown { names, ..shown }).len() <= max;
        let (mut fit, mut over) = (0, longest);
        while over.saturating_sub(fit) > 1 {
            let middle = usize::midpoint(fit, over);
            if fits(middle) {
                fit = middle;
            } else {
                over = middle;
            }
        }
        whole_lines(
            &self.render(Shown {
                names: fit,
                ..shown
            }),
            max,
        )
    }

    fn render(&self, shown: Shown) -> String {
        let mut out = String::new();
        push_lines(&mut out, &self.head);
        push_block(&mut out, &self.warnings);
        let names: Vec<_> = self.names.iter().map(|n| n.line(shown.names)).collect();
        push_block(&mut out, &names);
        if shown.findings {
            push_block(&mut out, &self.findings);
        } else if !self.findings.is_empty() {
            let line = format!("{} findings about files are left out.", self.findings.len());
            push_block(&mut out, &[line]);
        }
        self.push_details(&mut out, shown.details);
        // Paragraphs: not every renderer breaks lines where the text does.
        for line in &self.foot {
            out.push('\n');
            out.push_str(line);
            out.push('\n');
        }
        out
    }

    fn push_details(&self, out: &mut String, budget: Option<usize>) {
        if self.details.is_empty() {
            return;
        }
        let lines = match budget {
            None => self.details.iter().map(|line| line.text.clone()).collect(),
            Some(budget) if budget < LEAST_DETAILS => {
                let line = format!("The details are left out for their length; {}.", self.whole);
                push_block(out, &[line]);
                return;
            }
            Some(budget) => {
                let (lines, cut) = cut_middle(&self.details, budget);
                let line = format!(
                    "The details were cut in the middle: {cut} of {} lines are left out; {}.",
                    self.details.len(),
                    self.whole
                );
                push_block(out, &[line]);
                lines
            }
        };
        let fence = escape::fence(&lines.join("\n"), "diff");
        out.push_str("\n<details>\n<summary>");
        out.push_str(self.details_title);
        out.push_str("</summary>\n\n");
        out.push_str(fence.trim_end_matches('\n'));
        out.push_str("\n\n</details>\n");
    }
}

impl Names {
    fn line(&self, most: usize) -> String {
        let shown = self.names.iter().take(most).cloned().collect::<Vec<_>>();
        let more = self.names.len() - shown.len();
        let more = match more {
            0 => String::new(),
            _ if shown.is_empty() => "left out for the length of this list".to_owned(),
            more => format!(" and {more} more, left out for the length of this list"),
        };
        format!("* **{}:** {}{more}", self.heading, shown.join(", "))
    }
}

fn push_lines(out: &mut String, lines: &[String]) {
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
}

fn push_block(out: &mut String, lines: &[String]) {
    if !lines.is_empty() {
        out.push('\n');
        push_lines(out, lines);
    }
}

/// As many whole lines from both ends as fit, between them those that are kept, and how many are left out.
/// Each stands under its connector.
fn cut_middle(lines: &[Line], budget: usize) -> (Vec<String>, usize) {
    let mut kept = vec![false; lines.len()];
    for least in [Kept::Terms, Kept::Grave] {
        let marked = with_heads(lines, least);
        let of_marked = lines.iter().zip(&marked).filter(|(_, kept)| **kept);
        if of_marked
            .map(|(line, _)| line.text.len() + 1)
            .sum::<usize>()
            <= budget
        {
            kept = marked;
            break;
        }
    }
    let each: Vec<_> = lines.iter().zip(kept).collect();
    let of_kept = each.iter().filter(|(_, kept)| *kept);
    let room = (budget - of_kept.map(|(line, _)| line.text.len() + 1).sum::<usize>()) / 2;
    let take = |lines: &mut dyn Iterator<Item = &(&Line, bool)>| {
        let mut used = 0;
        lines
            .take_while(|(line, kept)| {
                used += if *kept { 0 } else { line.text.len() + 1 };
                used <= room
            })
            .count()
    };
    let front = take(&mut each.iter());
    let back = take(&mut each.iter().rev()).min(each.len() - front);
    let (head, rest) = each.split_at(front);
    let (_, tail) = rest.split_at(rest.len() - back);
    let start = tail.iter().position(|(line, _)| line.is_head());
    let (middle, tail) = rest.split_at(rest.len() - tail.len() + start.unwrap_or(tail.len()));
    let cut = middle.iter().filter(|(_, kept)| !kept).count();
    let mut shown: Vec<_> = head.iter().map(|(line, _)| line.text.clone()).collect();
    shown.push(format!("@@ … {cut} lines were cut here … @@"));
    let middle: Vec<_> = middle.iter().filter(|(_, kept)| *kept).collect();
    // What comes first may be of the connector that the cut began in.
    let above = head.iter().rev().find(|(line, _)| line.is_head());
    let above = above.filter(|_| middle.first().is_some_and(|(line, _)| !line.is_head()));
    let rest = above.into_iter().chain(middle).chain(tail);
    shown.extend(rest.map(|(line, _)| line.text.clone()));
    (shown, cut)
}

/// Which lines stay, with the heads that they stand under.
fn with_heads(lines: &[Line], least: Kept) -> Vec<bool> {
    let mut marked = vec![false; lines.len()];
    let mut head = None;
    for (at, line) in lines.iter().enumerate() {
        if line.is_head() {
            head = Some(at);
        }
        if line.kept >= least {
            for at in head.into_iter().chain([at]) {
                if let Some(mark) = marked.get_mut(at) {
                    *mark = true;
                }
            }
        }
    }
    marked
}

/// The end of a document that had to be cut anywhere.
const CUT: &str = "… cut here\n";

/// The last resort: whole lines from the top, as many as fit.
fn whole_lines(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if out.len() + line.len() + CUT.len() > max {
            break;
        }
        out.push_str(line);
    }
    if out.len() + CUT.len() <= max {
        out.push_str(CUT);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(names: usize, details: usize) -> Sections {
        Sections {
            head: vec!["## title".to_owned(), "counts".to_owned()],
            warnings: vec!["- danger".to_owned()],
            names: vec![Names {
                heading: "1 to add".to_owned(),
                names: (0..names).map(|n| format!("`name{n}`")).collect(),
            }],
            findings: vec!["- finding".to_owned()],
            details_title: "Details",
            details: (0..details)
                .map(|n| match n % 5 {
                    0 => format!("@@ paragraph {n} @@").into(),
                    _ => format!("+ line {n} ```").into(),
                })
                .collect(),
            foot: vec!["digest".to_owned()],
            whole: "the whole: somewhere".to_owned(),
        }
    }

    #[test]
    fn it_is_never_too_long_whatever_the_limit() {
        let document = document(100, 200);
        for max in (0..6000).step_by(7) {
            let text = document.fit(max);
            assert!(text.len() <= max, "{max}: {}", text.len());
            assert_eq!(text.contains("<details>"), text.contains("</details>"));
        }
    }

    #[test]
    fn the_middle_of_the_details_gives_way_first() {
        let text = document(20, 900).fit(2500);
        for kept in [
            "- danger",
            "`name19`",
            "- finding",
            "digest",
            "cut in the middle",
        ] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        assert!(text.contains("+ line 1 ```") && text.contains("+ line 899 ```"));
        assert!(text.len() > 2200, "{}", text.len());
    }

    #[test]
    fn what_is_dangerous_stays_under_its_connector() {
        let mut document = document(20, 900);
        let marked = [
            (102, Kept::Grave),
            (453, Kept::Grave),
            (454, Kept::Terms),
            (703, Kept::Terms),
        ];
        for (at, kept) in marked {
            document.details[at].kept = kept;
        }
        let text = document.fit(2500);
        let middle = text.split_once("lines were cut here … @@\n").unwrap().1;
        let middle: Vec<_> = middle.lines().take(7).collect();
        insta::assert_snapshot!(middle.join("\n"), @"
        @@ paragraph 100 @@
        + line 102 ```
        @@ paragraph 450 @@
        + line 453 ```
        + line 454 ```
        @@ paragraph 700 @@
        + line 703 ```
        ");
    }

    #[test]
    fn then_the_names_and_the_warnings_last() {
        let document = document(500, 900);
        let text = document.fit(1500);
        assert!(text.contains("- danger") && text.contains("digest"));
        assert!(
            text.contains("left out for the length of this list"),
            "{text}"
        );
        assert!(text.contains("`name50`"));
    }

    #[test]
    fn nothing_is_cut_without_need() {
        let document = document(20, 100);
        let text = document.fit(usize::MAX);
        assert_eq!(document.fit(text.len()), text);
        assert!(document.fit(text.len() - 1).contains("cut"));
    }
}
