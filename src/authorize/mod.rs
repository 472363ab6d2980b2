//! Resumes pending authorizations.
