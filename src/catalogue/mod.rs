//! What is known of OAuth scopes: meaning, access, class, aliases, what providers add.
