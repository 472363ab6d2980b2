#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connplan::fuzzing::receipt_file(bytes));
