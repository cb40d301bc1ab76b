//! `Fn::Cidr`: blocks of equal size out of a larger one.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The first `count` blocks with `bits` host bits in `block`.
///
/// # Errors
/// What is wrong with the arguments, to be read after the function's name.
pub(crate) fn blocks(block: &str, count: u32, bits: u32) -> Result<Vec<String>, String> {
    let (address, prefix) = block
        .split_once('/')
        .ok_or_else(|| format!("needs an address block such as 10.0.0.0/16, not `{block}`"))?;
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("cannot read the address `{address}`"))?;
    let (width, start) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let prefix = prefix.parse::<u32>().ok().filter(|prefix| *prefix <= width);
    let prefix = prefix.ok_or_else(|| format!("cannot read the prefix length of `{block}`"))?;
    if !(1..=256).contains(&count) {
        return Err(format!("makes 1 to 256 blocks, not {count}"));
    }
    let new_prefix = width.checked_sub(bits).filter(|new| bits > 0 && *new >= prefix);
    let new_prefix =
        new_prefix.ok_or_else(|| format!("cannot cut blocks with {bits} host bits out of `{block}`"))?;
    // More than 8 bits between the prefixes hold any count up to 256.
    if new_prefix - prefix < 9 && count > 1 << (new_prefix - prefix) {
        return Err(format!(
            "cannot cut {count} blocks with {bits} host bits out of `{block}`"
        ));
    }
    let mask = u128::MAX.checked_shl(width - prefix).unwrap_or(0);
    let first = start & mask;
    let size = 1_u128
        .checked_shl(bits)
        .ok_or_else(|| format!("cannot cut blocks with {bits} host bits"))?;
    (0..count)
        .map(|index| {
            let address = first + u128::from(index) * size;
            let address = match width {
                32 => u32::try_from(address)
                    .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
                    .ok(),
                _ => Some(IpAddr::V6(Ipv6Addr::from_bits(address))),
            };
            let address = address.ok_or_else(|| format!("runs out of addresses in `{block}`"))?;
            Ok(format!("{address}/{new_prefix}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_blocks() {
        assert_eq!(
            blocks("192.168.0.0/24", 2, 5).as_deref(),
            Ok(&["192.168.0.0/27".to_owned(), "192.168.0.32/27".to_owned()][..])
        );
        assert_eq!(
            blocks("10.0.0.7/16", 1, 8).as_deref(),
            Ok(&["10.0.0.0/24".to_owned()][..])
        );
        assert_eq!(
            blocks("2001:db8::/56", 2, 64).as_deref(),
            Ok(&["2001:db8::/64".to_owned(), "2001:db8:0:1::/64".to_owned()][..])
        );
        assert_eq!(blocks("255.255.255.0/24", 256, 1).map_err(|_| ()), Err(()));
        assert_eq!(blocks("0.0.0.0/0", 256, 24).map(|blocks| blocks.len()), Ok(256));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for (block, count, bits) in [
            ("", 1, 8),
            ("10.0.0.0", 1, 8),
            ("10.0.0.0/33", 1, 8),
            ("x/8", 1, 8),
            ("10.0.0.0/16", 0, 8),
            ("10.0.0.0/16", 257, 8),
            ("10.0.0.0/24", 1, 9),
            ("10.0.0.0/24", 3, 7),
            ("10.0.0.0/24", 1, 0),
            ("10.0.0.0/24", 1, 99),
            ("::/0", 1, 128),
        ] {
            let result = blocks(block, count, bits);
            assert!(result.is_err(), "{block} {count} {bits}: {result:?}");
        }
    }
}
