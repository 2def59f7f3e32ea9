//! Byte ranges of a request (RFC 9110 §14): one range is honoured, several and nonsense are ignored.

/// What a `Range` header means for a file of a given size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// First and last byte, inclusive.
    Bytes(u64, u64),
    Unsatisfiable,
}

pub(super) fn part(range: Option<&str>, size: u64) -> Part {
    let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.trim().split_once('-')) else {
        return Part::Whole;
    };
    let number = |text: &str| text.parse::<u64>().ok();
    match (first, last) {
        ("", suffix) => match number(suffix) {
            Some(0) => Part::Unsatisfiable,
            Some(_) if size == 0 => Part::Unsatisfiable,
            Some(length) => Part::Bytes(size.saturating_sub(length), size - 1),
            None => Part::Whole,
        },
        (first, "") => match number(first) {
            Some(first) if first < size => Part::Bytes(first, size - 1),
            Some(_) => Part::Unsatisfiable,
            None => Part::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first > last => Part::Whole,
            (Some(first), Some(last)) if first < size => Part::Bytes(first, last.min(size - 1)),
            (Some(_), Some(_)) => Part::Unsatisfiable,
            _ => Part::Whole,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_the_rfc_says() {
        let cases = [
            (None, Part::Whole),
            (Some("bytes=0-0"), Part::Bytes(0, 0)),
            (Some("bytes=0-"), Part::Bytes(0, 99)),
            (Some("bytes=10-500"), Part::Bytes(10, 99)),
            (Some("bytes=-1"), Part::Bytes(99, 99)),
            (Some("bytes=-500"), Part::Bytes(0, 99)),
            (Some("bytes=-0"), Part::Unsatisfiable),
            (Some("bytes=100-"), Part::Unsatisfiable),
            (Some("bytes=5-4"), Part::Whole),
            (Some("bytes=0-1,5-6"), Part::Whole),
            (Some("items=0-1"), Part::Whole),
            (Some("bytes=a-b"), Part::Whole),
        ];
        for (header, wanted) in cases {
            assert_eq!(part(header, 100), wanted, "{header:?}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Unsatisfiable);
    }
}
