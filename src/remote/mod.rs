//! The platform's API: the client, its credentials, its errors.
