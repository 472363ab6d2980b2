//! The terminal: streams, colour, prompts, keys.
