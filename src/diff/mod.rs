//! Compares what is declared with what is observed. Pure.
