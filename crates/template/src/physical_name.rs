//! The names CloudFormation generates: `STACK-LOGICALID-SUFFIX`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>

const SUFFIX_LENGTH: usize = 12;
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The physical name of a resource: the same for the same stack, logical ID and seed, at most `longest` characters, in lower
/// case for buckets. Stack name and logical ID are cut in equal parts where they do not fit.
pub(crate) fn generate(
    stack: &str,
    logical_id: &str,
    seed: &str,
    longest: usize,
    lower_case: bool,
) -> String {
    let room = longest.saturating_sub(SUFFIX_LENGTH + 2);
    let half = room / 2;
    let (stack_room, id_room) = match (stack.chars().count(), logical_id.chars().count()) {
        (stack, id) if stack + id <= room => (stack, id),
        (stack, id) if stack <= half => (stack, room.saturating_sub(stack).min(id)),
        (stack, id) if id <= half => (room.saturating_sub(id).min(stack), id),
        _ => (half, room - half),
    };
    let cut = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    let suffix = suffix(&[seed, stack, logical_id]);
    let name = format!("{}-{}-{suffix}", cut(stack, stack_room), cut(logical_id, id_room));
    if lower_case { name.to_lowercase() } else { name }
}

/// FNV-1a over the parts, then 5 bits a character. Names need to differ, not to be secret.
fn suffix(parts: &[&str]) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    // A 0 after each part keeps ("ab", "c") and ("a", "bc") apart.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let mut state = bytes.fold(OFFSET, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    // FNV's low bits are its weak ones: mix once.
    state ^= state >> 32;
    state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..SUFFIX_LENGTH)
        .map(|index| {
            let bits = (state >> (index * 5)) & 31;
            usize::try_from(bits)
                .ok()
                .and_then(|bits| ALPHABET.get(bits))
                .map_or('A', |&byte| char::from(byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_and_distinct() {
        let name = generate("orders", "OrderTable", "1", 255, false);
        assert_eq!(name, generate("orders", "OrderTable", "1", 255, false));
        assert!(name.starts_with("orders-OrderTable-"), "{name}");
        assert_eq!(name.len(), "orders-OrderTable-".len() + SUFFIX_LENGTH);
        for other in [
            ("orders", "OrderTable", "2"),
            ("order", "sOrderTable", "1"),
            ("orders", "OrderTablf", "1"),
        ] {
            assert_ne!(
                name.get(18..),
                generate(other.0, other.1, other.2, 255, false).get(18..)
            );
        }
    }

    #[test]
    fn names_fit_the_limit() {
        let long = "x".repeat(200);
        for (stack, id) in [
            ("s", long.as_str()),
            (long.as_str(), "i"),
            (long.as_str(), long.as_str()),
            ("s", "i"),
        ] {
            let name = generate(stack, id, "", 63, true);
            assert!(name.len() <= 63, "{name}");
            assert_eq!(name, name.to_lowercase());
        }
    }
}
