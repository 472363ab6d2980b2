//! Values to text: for a person, as JSON, Markdown, a diff. Decides nothing.

