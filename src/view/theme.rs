//! What a piece of text means, and how that looks on a terminal.

/// Meaning, not colour. Whatever a style says, the words or symbols beside it say as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Comes into being (`+`).
    Added,
    /// Goes (`-`).
    Removed,
    /// Becomes another (`~`).
    Changed,
    /// Wants a look (`!`).
    Attention,
    /// Wants a look first.
    Danger,
    /// Of less interest.
    Dim,
    /// Names and headings.
    Bold,
}

/// Whether styles are shown. Who prints decides, by the terminal and `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// No styles at all.
    pub const PLAIN: Self = Self { colour: false };

    /// With styles or without.
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// Whether there are colours.
    pub fn is_colored(self) -> bool {
        self.colour
    }

    /// Dresses a text. Blanks before it stay as they are: by them a line is laid out.
    pub fn paint(self, style: Style, text: &str) -> String {
        let words = text.trim_start_matches(' ');
        if !self.colour || words.is_empty() {
            return text.to_owned();
        }
        let base = console::Style::new().force_styling(true);
        let look = match style {
            Style::Added => base.green(),
            Style::Removed => base.red(),
            Style::Changed | Style::Attention => base.yellow(),
            Style::Danger => base.red().bold(),
            Style::Dim => base.dim(),
            Style::Bold => base.bold(),
        };
        let blanks = text.len() - words.len();
        format!("{:blanks$}{}", "", look.apply_to(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_theme_changes_nothing() {
        assert_eq!(Theme::PLAIN.paint(Style::Danger, "x"), "x");
        assert_eq!(
            Theme::new(true).paint(Style::Added, "x"),
            "\u{1b}[32mx\u{1b}[0m"
        );
        assert_eq!(
            Theme::new(true).paint(Style::Added, "  x"),
            "  \u{1b}[32mx\u{1b}[0m"
        );
    }
}
