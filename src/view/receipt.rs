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
    shown(receipt, digest, options, medium, false)
}

/// One of an earlier run, where nothing was left to do.
pub fn show_again(
    receipt: &Receipt,
    digest: &Digest,
    options: &markdown::Options,
    medium: &Medium<'_>,
) -> String {
    shown(receipt, digest, options, medium, true)
}

fn shown(
    receipt: &Receipt,
    digest: &Digest,
    options: &markdown::Options,
    medium: &Medium<'_>,
    before: bool,
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
                    next: medium.next,
                },
                medium.theme,
            )
        }
    }
}
