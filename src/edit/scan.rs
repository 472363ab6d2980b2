//! What lies between the values of a file: blanks, comments, line ends.

/// How comments are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// JSON5: `//` and `/* */`.
    Json5,
    /// TOML: `#`.
    Toml,
}

/// A text that is walked over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) syntax: Syntax,
}

pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn is_gap(c: char) -> bool {
    (c.is_whitespace() || c == '\u{feff}') && !is_line_end(c)
}

impl<'a> Scan<'a> {
    pub(super) fn rest(&self, from: usize) -> &'a str {
        self.text.get(from..).unwrap_or_default()
    }

    fn peek(&self, at: usize) -> Option<char> {
        self.rest(at).chars().next()
    }

    /// Past the blanks of this line.
    pub(super) fn skip_gap(&self, from: usize) -> usize {
        let rest = self.rest(from);
        from + rest.find(|c| !is_gap(c)).unwrap_or(rest.len())
    }

    /// Back over the blanks of this line.
    pub(super) fn skip_gap_back(&self, to: usize) -> usize {
        let before = self.text.get(..to).unwrap_or_default();
        before.trim_end_matches(is_gap).len()
    }

    /// Where the comment that starts here ends, its line end left out.
    fn comment(&self, from: usize) -> Option<usize> {
        let rest = self.rest(from);
        let to_line_end = || from + rest.find(is_line_end).unwrap_or(rest.len());
        match self.syntax {
            Syntax::Toml => rest.starts_with('#').then(to_line_end),
            Syntax::Json5 if rest.starts_with("//") => Some(to_line_end()),
            Syntax::Json5 => {
                let inner = rest.strip_prefix("/*")?;
                Some(from + 2 + inner.find("*/")? + 2)
            }
        }
    }

    /// Past blanks, line ends and comments: where the next part of the syntax starts.
    pub(super) fn next_token(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            at = match (self.peek(at), self.comment(at)) {
                (_, Some(end)) => end,
                (Some(c), None) if is_gap(c) || is_line_end(c) => at + c.len_utf8(),
                _ => return at,
            };
        }
    }

    /// Past the comments that stand on the same line; blanks after the last one are left.
    pub(super) fn line_comments(&self, from: usize) -> usize {
        let mut end = from;
        loop {
            let start = self.skip_gap(end);
            match self.comment(start) {
                Some(to)
                    if !self
                        .text
                        .get(start..to)
                        .unwrap_or_default()
                        .contains(is_line_end) =>
                {
                    end = to;
                }
                _ => return end,
            }
        }
    }

    /// Where the comma after a value stands, if there is one.
    pub(super) fn comma(&self, after: usize) -> Option<usize> {
        let at = self.next_token(after);
        self.rest(at).starts_with(',').then_some(at)
    }

    /// Where the line of this place starts.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before
            .char_indices()
            .rev()
            .find(|(_, c)| is_line_end(*c))
            .map_or(0, |(at, c)| at + c.len_utf8())
    }

    /// Whether nothing but blanks stands before this place on its line.
    pub(super) fn starts_line(&self, at: usize) -> bool {
        self.skip_gap_back(at) <= self.line_start(at)
    }

    /// Past the line end that stands here; `None` if none does. The end of the file is one.
    pub(super) fn line_end(&self, at: usize) -> Option<usize> {
        let rest = self.rest(at);
        if rest.starts_with("\r\n") {
            return Some(at + 2);
        }
        match rest.chars().next() {
            None => Some(at),
            Some(c) if is_line_end(c) => Some(at + c.len_utf8()),
            Some(_) => None,
        }
    }

    /// The spaces and tabs that this place's line starts with.
    pub(super) fn indentation(&self, at: usize) -> &'a str {
        let line = self.rest(self.line_start(at));
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let length = line
            .find(|c| !matches!(c, ' ' | '\t'))
            .unwrap_or(line.len());
        line.get(..length).unwrap_or_default()
    }

    /// How this file ends its lines, by its first one.
    pub(super) fn newline(&self) -> &'static str {
        match self.text.find(['\n', '\r']) {
            Some(at) if self.rest(at).starts_with("\r\n") => "\r\n",
            Some(at) if self.rest(at).starts_with('\r') => "\r",
            _ => "\n",
        }
    }
}
