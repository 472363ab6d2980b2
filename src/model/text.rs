//! What types that are a text in their own right have in common.

/// Shows these types as their `as_str` has it, padded as a text is.
macro_rules! display_as_str {
    ($($name:ty),+ $(,)?) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

/// Reads this type as its `parse` does, and writes it as the text that it is.
macro_rules! text_in_documents {
    ($name:ident, $error:ty) => {
        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

pub(crate) use display_as_str;
pub(crate) use text_in_documents;
