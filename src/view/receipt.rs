//! A receipt, in the format that was asked for.

use super::{Format, Medium, markdown, report::ReceiptReport, text};
use crate::{plan::Digest, receipt::Receipt};

/// A receipt. What is made of it names its file where the options do.
pub fn show(
    receipt: &Receipt,
    digest: &Digest,
    options: &markdown::Options,
    medium: &Medium<'_>,
) -> String {
    show_end((receipt, digest), options, medium, End::default())
}

/// What came before the receipt of an apply.
#[derive(Clone, Copy, Debug, Default)]
pub struct End {
    /// Whether it is of an earlier run, and nothing was left to do.
    pub before: bool,
    /// Whether the app was named with the plan, above.
    pub planned: bool,
}

/// One at the end of an apply.
pub fn show_end(
    (receipt, digest): (&Receipt, &Digest),
    options: &markdown::Options,
    medium: &Medium<'_>,
    End { before, planned }: End,
) -> String {
    let report = ReceiptReport::new(receipt, digest);
    match medium.format {
        Format::Json => report.to_json(),
        Format::Markdown => markdown::receipt(&report, options),
        Format::Text | Format::Diff | Format::Github | Format::Sarif => {
            let file = options.file.as_deref();
            text::receipt(
                &report,
                &text::ReceiptOptions {
                    file,
                    told: medium.told,
                    before,
                    named: planned && medium.told,
                    next: medium.next,
                },
                medium.theme,
            )
        }
    }
}
