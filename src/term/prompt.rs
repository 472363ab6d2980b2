//! Questions. They are only asked where [`super::Terminal::is_interactive`] says so.

use std::{
    collections::BTreeSet,
    io::{self, BufRead},
    time::Duration,
};

use console::{Key, Term};
use dialoguer::MultiSelect;

use super::{Terminal, keys::KeyByKey};
use crate::fs;

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Anything else, an ended input among it.
    No,
}

/// Asks for the word `yes`; nothing else is yes. For what cannot be undone.
pub async fn confirm_word(terminal: &Terminal, question: &str) -> Answer {
    terminal.insist(question);
    match read_line(terminal, "Only 'yes' is accepted: ")
        .await
        .as_deref()
    {
        Some("yes") => Answer::Yes,
        _ => Answer::No,
    }
}

/// Asks a yes/no question; an empty line takes `default`.
pub async fn confirm_yes_no(terminal: &Terminal, question: &str, default: Answer) -> Answer {
    let choices = if default == Answer::Yes {
        "[Y/n]"
    } else {
        "[y/N]"
    };
    let line = read_line(terminal, &format!("{question} {choices} ")).await;
    match line.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("") => default,
        Some("y" | "yes") => Answer::Yes,
        _ => Answer::No,
    }
}

/// Reads one line without blocking the runtime, so that signals are still heard.
async fn read_line(terminal: &Terminal, prompt: &str) -> Option<String> {
    terminal.prompt(prompt);
    let line = fs::off_thread(|| {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.ok().filter(|length| *length > 0).map(|_| line)
    });
    let line = line.await;
    // After an ended input the cursor stands behind the question.
    if line.as_ref().is_none_or(|line| !line.ends_with('\n')) {
        terminal.insist("");
    }
    line.map(|line| line.trim().to_owned())
}

/// How many choices are shown at once.
const PAGE: usize = 12;

/// Something to mark.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the list shows, on one line or two.
    pub shown: String,
    /// What it is called once it is marked.
    pub name: String,
}

/// Lets a person mark any number of items, with the arrows and the space bar; some are marked already.
/// `None` if they gave up with Esc, or if this terminal cannot show a list.
async fn choose_many(
    terminal: &Terminal,
    question: &str,
    items: Vec<(String, bool)>,
) -> Option<Vec<usize>> {
    let (items, marked): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    let (question, items) = fit(terminal, question, &items)?;
    let lines = items.iter().map(|item| item.lines().count()).max();
    let _cursor = Cursor;
    let chosen = fs::off_thread(move || {
        MultiSelect::new()
            .with_prompt(question)
            .items(&items)
            .defaults(&marked)
            .max_length(PAGE / lines.unwrap_or(1).max(1))
            .report(false)
            .interact_on_opt(&Term::stderr())
    });
    ended(chosen.await).await
}

/// Lets a person mark any number of items; a part of the name is asked for first, again and again until an
/// empty one ends it. The empty one at the start shows all. Esc gives up everywhere: `None`.
pub async fn choose_filtered(
    terminal: &Terminal,
    question: &str,
    choices: &[Choice],
) -> Option<Vec<usize>> {
    if !lists(terminal) {
        return None;
    }
    let _keys = KeyByKey::hold();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    for round in 0.. {
        let names: Vec<_> = chosen.iter().filter_map(|n| choices.get(*n)).collect();
        let names: Vec<_> = names.iter().map(|choice| choice.name.as_str()).collect();
        if round > 0 {
            let names = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            terminal.insist(&format!("Selected: {names}"));
        }
        let ends = if round == 0 { "shows all" } else { "ends" };
        let prompt = format!(
            "{question}: a part of the name (Enter {ends}, {}): ",
            choices.len()
        );
        let part = read_part(terminal, prompt).await?.to_lowercase();
        if round > 0 && part.is_empty() {
            break;
        }
        let matches = |choice: &Choice| choice.shown.to_lowercase().contains(&part);
        let all = choices.iter().enumerate();
        let matching: Vec<_> = all.filter(|(_, choice)| matches(choice)).collect();
        if matching.is_empty() {
            terminal.insist("Nothing matches.");
            continue;
        }
        let items = matching
            .iter()
            .map(|(n, choice)| (choice.shown.clone(), chosen.contains(n)));
        let marked = choose_many(terminal, question, items.collect()).await?;
        for (place, (n, _)) in matching.iter().enumerate() {
            if marked.contains(&place) {
                chosen.insert(*n);
            } else {
                chosen.remove(n);
            }
        }
        if part.is_empty() {
            break;
        }
    }
    Some(chosen.into_iter().collect())
}

/// Reads a few letters; `None` after Esc, which ends a list too.
async fn read_part(terminal: &Terminal, prompt: String) -> Option<String> {
    terminal.prompt(&prompt);
    let read = fs::off_thread(|| -> io::Result<_> {
        let term = Term::stderr();
        let mut part = String::new();
        loop {
            match term.read_key()? {
                Key::Enter => {
                    term.write_line("")?;
                    return Ok(Some(part));
                }
                Key::Escape => {
                    term.write_line("")?;
                    return Ok(None);
                }
                Key::Backspace if part.pop().is_some() => term.clear_chars(1)?,
                Key::Char(key) if !key.is_control() => {
                    part.push(key);
                    term.write_str(key.encode_utf8(&mut [0; 4]))?;
                }
                _ => {}
            }
        }
    });
    ended(read.await.map_err(dialoguer::Error::IO)).await
}

/// Lets a person pick one item, by the arrows or by typing a part of it. `None` where they give up.
pub async fn choose_one(terminal: &Terminal, question: &str, items: Vec<String>) -> Option<usize> {
    let (question, items) = fit(terminal, question, &items)?;
    let width = terminal.width();
    let _keys = KeyByKey::hold();
    let _cursor = Cursor;
    let chosen = fs::off_thread(move || {
        let term = Term::stderr();
        pick(&term, width, &question, &items)
    });
    ended(chosen.await.map_err(dialoguer::Error::IO)).await
}

/// Draws the list anew after each key.
fn pick(term: &Term, width: usize, question: &str, items: &[String]) -> io::Result<Option<usize>> {
    let cut = |text: &str| console::truncate_str(text, width, "…").into_owned();
    let (mut part, mut at) = (String::new(), 0);
    term.hide_cursor()?;
    loop {
        let found = matching(items, &part);
        at = at.min(found.len().saturating_sub(1));
        let page = at / PAGE * PAGE;
        let shown = found.iter().enumerate().skip(page).take(PAGE);
        let mut lines = vec![cut(&format!("{question}: {part}"))];
        lines.extend(shown.map(|(place, n)| {
            let mark = if place == at { '>' } else { ' ' };
            format!("{mark} {}", items.get(*n).map_or("", String::as_str))
        }));
        if found.is_empty() {
            lines.push(cut(&format!("  Nothing matches \"{part}\".")));
            lines.push(cut("  Backspace shows more, Esc cancels."));
        }
        for line in &lines {
            term.write_line(line)?;
        }
        let key = term.read_key();
        term.clear_last_lines(lines.len())?;
        match key? {
            Key::Enter if !found.is_empty() => return Ok(found.get(at).copied()),
            Key::Escape => return Ok(None),
            Key::ArrowDown if at + 1 < found.len() => at += 1,
            Key::ArrowDown => at = 0,
            Key::ArrowUp => at = at.checked_sub(1).unwrap_or(found.len().saturating_sub(1)),
            Key::Backspace => {
                part.pop();
                at = 0;
            }
            Key::Char(key) if !key.is_control() => {
                part.push(key);
                at = 0;
            }
            _ => {}
        }
    }
}

/// The items that hold this part; where none does, those that have its letters in this order.
fn matching(items: &[String], part: &str) -> Vec<usize> {
    let part = part.to_lowercase();
    let within = |item: &str| item.contains(&part);
    let scattered = |item: &str| {
        let mut letters = item.chars();
        part.chars().all(|letter| letters.any(|c| c == letter))
    };
    let of = |matches: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let items = items.iter().enumerate();
        let found = items.filter(|(_, item)| matches(&item.to_lowercase()));
        found.map(|(n, _)| n).collect()
    };
    let whole = of(&within);
    if whole.is_empty() {
        of(&scattered)
    } else {
        whole
    }
}

/// What a list came to. Ctrl-C ends the reading of keys, and is a signal as well: that one ends the
/// run, and is on its way.
async fn ended<T>(chosen: Result<Option<T>, dialoguer::Error>) -> Option<T> {
    match chosen {
        Ok(chosen) => chosen,
        Err(dialoguer::Error::IO(e)) => {
            if e.kind() == io::ErrorKind::Interrupted {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            None
        }
    }
}

/// A list hides the cursor. However it ends, Ctrl-C among the ways, the cursor comes back.
struct Cursor;

impl Drop for Cursor {
    fn drop(&mut self) {
        // A terminal that went away has none.
        let _ = Term::stderr().show_cursor();
    }
}

/// Whether a list can be shown here.
fn lists(terminal: &Terminal) -> bool {
    terminal.is_interactive() && !terminal.is_dumb()
}

/// Lists are drawn over and over: a line that wraps would be drawn twice.
fn fit(terminal: &Terminal, question: &str, items: &[String]) -> Option<(String, Vec<String>)> {
    if !lists(terminal) || items.is_empty() {
        return None;
    }
    let width = terminal.width().saturating_sub(6);
    let cut = |text: &str| console::truncate_str(text, width, "…").into_owned();
    let lines = |item: &String| item.lines().map(cut).collect::<Vec<_>>().join("\n");
    Some((cut(question), items.iter().map(lines).collect()))
}
