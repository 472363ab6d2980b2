//! The command line: arguments, context, exit codes, signals.
