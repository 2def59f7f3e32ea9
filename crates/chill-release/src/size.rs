//! Sizes written as text.

/// Bytes that a text such as `1.4 GB`, `700MiB`, `350 mb` or `123456` means; units count in steps of 1024, as torrent sites write them.
///
/// `None` when there is no number, the unit is unknown, or the size does not fit.
#[must_use]
pub fn size_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end =
        text.bytes().position(|byte| !byte.is_ascii_digit() && byte != b'.' && byte != b',').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let power = match unit.trim_start().as_bytes() {
        [] | [b'b' | b'B'] => 0,
        [prefix] | [prefix, b'b' | b'B'] | [prefix, b'i' | b'I', b'b' | b'B'] => match prefix.to_ascii_lowercase() {
            b'k' => 1,
            b'm' => 2,
            b'g' => 3,
            b't' => 4,
            b'p' => 5,
            _ => return None,
        },
        _ => return None,
    };
    scaled(number, 1_u64 << (10 * power))
}

/// Decimal `number` times `unit`, without floating point so that whole sizes stay exact.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let mut parts = number.splitn(2, ['.', ',']);
    let whole = parts.next().filter(|digits| !digits.is_empty())?.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut fraction = 0_u128;
    let mut scale = 1_u128;
    for digit in parts.next().unwrap_or("").bytes().take(9) {
        fraction = fraction * 10 + u128::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        scale *= 10;
    }
    whole.checked_add(u64::try_from(fraction * u128::from(unit) / scale).ok()?)
}
