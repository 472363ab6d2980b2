//! Questions. They are only asked where [`super::Terminal::is_interactive`] says so.

use std::io::{self, BufRead};

use super::Terminal;

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Anything else, an ended input among it.
    No,
}

/// Asks for the word `yes`; nothing else is yes. For what can not be undone.
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
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.ok().filter(|length| *length > 0).map(|_| line)
    });
    line.await.ok().flatten().map(|line| line.trim().to_owned())
}
