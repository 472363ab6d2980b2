//! A receipt, in the format that was asked for.

use super::{Format, Medium, markdown, report::ReceiptReport, text};
use crate::{plan::Digest, receipt::Receipt};

/// A receipt. What is made of it names its file where the options do.
pub fn show(
    receipt: &Receipt,
    digest: &Digest,
    options: &markdown::Options,
    medium: &Medium,
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
                },
                medium.theme,
            )
        }
    }
}
