//! What is said when connplan itself breaks. A panic's message may quote whatever was at hand, as
//! slicing a text does: only what stands in the source as it is, is shown.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::Write as _,
    io::{self, Write as _},
    panic::PanicHookInfo,
};

/// Takes the place of Rust's own words for a panic.
pub(super) fn install() {
    std::panic::set_hook(Box::new(|info| {
        let mut words = words(info);
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            // Names of functions and files. Writing to a string does not fail.
            let _ = writeln!(words, "{trace}");
        }
        // There is nobody left to tell.
        let _ = io::stderr().write_all(words.as_bytes());
    }));
}

fn words(info: &PanicHookInfo<'_>) -> String {
    // A message with values in it is a `String`.
    let fixed = info.payload().downcast_ref::<&'static str>();
    let message = fixed.map_or("its message may hold what is private", |text| *text);
    let place = info.location().map(ToString::to_string);
    format!(
        "error: connplan panicked at {}: {message}\n  help: this is a bug in connplan; please \
         report it, with this place and what was run\n",
        place.as_deref().unwrap_or("an unknown place")
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn no_value_is_in_the_words_for_a_panic() {
        let told = Arc::new(Mutex::new(String::new()));
        let (telling, here) = (Arc::clone(&told), std::thread::current().id());
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Other tests may panic meanwhile.
            if std::thread::current().id() == here {
                telling.lock().unwrap().push_str(&words(info));
            }
        }));
        let secret = "é-canary".to_owned();
        let panics: [&dyn Fn(); 3] = [
            &|| assert!(secret.is_empty(), "{secret}"),
            &|| drop(secret[1..].to_owned()),
            &|| panic!("a fixed text"),
        ];
        for panic in panics {
            let panic = std::panic::AssertUnwindSafe(panic);
            assert!(std::panic::catch_unwind(panic).is_err());
        }
        std::panic::set_hook(usual);
        let told = told.lock().unwrap();
        assert!(!told.contains("canary"), "{told}");
        assert!(told.contains("a fixed text"), "{told}");
        assert_eq!(told.matches("panicked at src").count(), 3, "{told}");
    }
}
