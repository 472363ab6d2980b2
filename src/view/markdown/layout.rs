//! The parts of a Markdown document, and what gives way when it gets too long: first the middle of
//! the details, then the details, then findings, then names; the warnings last.

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
    pub(super) details: Vec<String>,
    /// Digest, version, how to go on.
    pub(super) foot: Vec<String>,
    /// Where the whole is, as the end of a sentence.
    pub(super) whole: String,
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
            None => self.details.clone(),
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

/// As many whole lines from both ends as fit, and how many are left out. The end starts with a
/// paragraph if it can, so that no line stands under the wrong connector.
fn cut_middle(lines: &[String], budget: usize) -> (Vec<String>, usize) {
    let room = budget / 2;
    let take = |lines: &mut dyn Iterator<Item = &String>| {
        let mut used = 0;
        lines
            .take_while(|line| {
                used += line.len() + 1;
                used <= room
            })
            .count()
    };
    let front = take(&mut lines.iter());
    let back = take(&mut lines.iter().rev()).min(lines.len() - front);
    let (head, rest) = lines.split_at(front);
    let (_, tail) = rest.split_at(rest.len() - back);
    let start = tail
        .iter()
        .position(|line| line.starts_with("@@"))
        .unwrap_or(tail.len());
    let (_, tail) = tail.split_at(start);
    let cut = lines.len() - head.len() - tail.len();
    let mut shown = head.to_vec();
    shown.push(format!("@@ … {cut} lines were cut here … @@"));
    shown.extend_from_slice(tail);
    (shown, cut)
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
                    0 => format!("@@ paragraph {n} @@"),
                    _ => format!("+ line {n} ```"),
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
