//! Random identifiers.

/// 32 hexadecimal digits, as at the end of a log stream's name.
///
/// # Errors
/// The kernel has no random numbers, which only happens before a machine has started up.
pub(crate) fn stream_suffix() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
