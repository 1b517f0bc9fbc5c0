pub fn write(_: &str, _: &std::path::Path) -> Result<(), String> { Ok(()) }
