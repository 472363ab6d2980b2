//! A link as a picture that a phone reads.

use qrcode::{EcLevel, QrCode, render::unicode};

use crate::model::Link;

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPicture {
    /// The link holds more than a QR code can.
    LinkTooLong,
    /// The terminal has fewer columns than the picture.
    TooNarrow {
        /// How many it takes.
        columns: usize,
    },
}

/// The link in half blocks, for a terminal with so many columns. Private, as the link is.
///
/// Dark on light, with the quiet zone that readers want. The light squares are the ones that are
/// drawn, so that it can be read from a dark terminal; with `colour` it says its colours, by numbers
/// that no theme changes, and can be read from any.
pub fn picture(link: &Link, columns: usize, colour: bool) -> Result<String, NoPicture> {
    let code = QrCode::with_error_correction_level(link.expose(), EcLevel::L)
        .map_err(|_| NoPicture::LinkTooLong)?;
    let picture = code
        .render::<unicode::Dense1x2>()
        // What the library calls dark is what it draws: ink on paper. A terminal draws with light.
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    let width = picture.lines().map(|line| line.chars().count()).max();
    let width = width.unwrap_or_default();
    if width > columns {
        return Err(NoPicture::TooNarrow { columns: width });
    }
    let dressed = |line: &str| {
        if colour {
            format!("\u{1b}[38;5;231;48;5;16m{line}\u{1b}[0m\n")
        } else {
            format!("{line}\n")
        }
    };
    Ok(picture.lines().map(dressed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_square_and_fits_or_is_none() {
        let link = Link::parse("https://auth.example.com/o?state=0123456789").unwrap();
        let drawn = picture(&link, 80, false).unwrap();
        let (width, height) = (
            drawn.lines().next().unwrap().chars().count(),
            drawn.lines().count(),
        );
        assert!(
            height * 2 >= width && height * 2 <= width + 1,
            "{width}x{height}"
        );
        assert!(!drawn.contains("auth") && !drawn.contains('\u{1b}'));
        let quiet = drawn.lines().next().unwrap();
        assert!(
            quiet.chars().all(|block| block == '█'),
            "light is drawn: {quiet}"
        );
        assert!(
            picture(&link, 80, true)
                .unwrap()
                .contains("\u{1b}[38;5;231;48;5;16m")
        );
        assert_eq!(
            picture(&link, 20, false),
            Err(NoPicture::TooNarrow { columns: width })
        );
        let long = Link::parse(&format!("https://e.example/{}", "a".repeat(5000))).unwrap();
        assert_eq!(picture(&long, 200, false), Err(NoPicture::LinkTooLong));
    }
}
