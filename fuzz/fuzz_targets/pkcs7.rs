#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::pkcs7(bytes));
